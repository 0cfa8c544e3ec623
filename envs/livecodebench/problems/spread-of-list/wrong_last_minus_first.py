def spread(nums: list[int]) -> int:
    return nums[-1] - nums[0]
