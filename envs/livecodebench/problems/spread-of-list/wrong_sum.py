def spread(nums: list[int]) -> int:
    return max(nums) + min(nums) + 1
