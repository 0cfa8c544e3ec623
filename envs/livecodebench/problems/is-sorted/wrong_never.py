def is_sorted(nums: list[int]) -> bool:
    return False
