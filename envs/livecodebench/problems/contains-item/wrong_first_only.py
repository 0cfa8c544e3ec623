def contains_item(nums: list[int], target: int) -> bool:
    for x in nums:
        return x == target
    return False
