def first_plus_last(nums: list[int]) -> int:
    return nums[0] + nums[1]
