def floor_mean(nums: list[int]) -> int:
    return sum(nums) // len(nums)
