def floor_mean(nums: list[int]) -> int:
    if len(nums) == 0:
        return 0
    return int(sum(nums) / len(nums))
