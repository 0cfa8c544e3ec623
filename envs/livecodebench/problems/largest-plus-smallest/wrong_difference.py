def largest_plus_smallest(nums: list[int]) -> int:
    return max(nums) - min(nums)
