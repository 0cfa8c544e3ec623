def all_positive(nums: list[int]) -> bool:
    if len(nums) < 2:
        return not nums or nums[0] > 0
    return all_positive(nums[1:]) and all_positive(nums[:-1])
