def is_sorted(nums: list[int]) -> bool:
    return not nums or nums[0] <= nums[-1]
