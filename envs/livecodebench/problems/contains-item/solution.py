def contains_item(nums: list[int], target: int) -> bool:
    return target in nums
