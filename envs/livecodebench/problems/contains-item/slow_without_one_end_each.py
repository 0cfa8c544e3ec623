def contains_item(nums: list[int], target: int) -> bool:
    if not nums:
        return False
    return nums[0] == target or contains_item(nums[1:], target) or contains_item(nums[:-1], target)
