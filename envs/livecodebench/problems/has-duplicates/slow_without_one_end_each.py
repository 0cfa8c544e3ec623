def has_duplicates(nums: list[int]) -> bool:
    if len(nums) < 2:
        return False
    return nums[0] == nums[-1] or has_duplicates(nums[1:]) or has_duplicates(nums[:-1])
