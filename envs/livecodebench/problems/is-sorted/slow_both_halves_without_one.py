def is_sorted(nums: list[int]) -> bool:
    if len(nums) < 2:
        return True
    if len(nums) == 2:
        return nums[0] <= nums[1]
    return is_sorted(nums[1:]) and is_sorted(nums[:-1])
