def contains_item(nums: list[int], target: int) -> bool:
    return any(nums[i] == target for i in range(len(nums) - 1))
