def remove_duplicates(nums: list[int]) -> int:
    return len(set(nums))
