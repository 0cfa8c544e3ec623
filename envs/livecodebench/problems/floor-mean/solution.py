def floor_mean(nums: list[int]) -> int:
    if not nums:
        return 0
    return sum(nums) // len(nums)
