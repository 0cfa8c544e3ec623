def has_duplicates(nums: list[int]) -> bool:
    return len(set(nums)) < len(nums)
