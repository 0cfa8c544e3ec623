def largest_plus_smallest(nums: list[int]) -> int:
    return nums[0] + nums[-1]
