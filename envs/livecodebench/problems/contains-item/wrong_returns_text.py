def contains_item(nums: list[int], target: int) -> str:
    return "True" if target in nums else "False"
