def has_duplicates(nums: list[int]) -> bool:
    return False
