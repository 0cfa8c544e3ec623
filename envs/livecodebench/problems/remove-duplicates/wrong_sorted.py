def remove_duplicates(nums: list[int]) -> list[int]:
    return sorted(set(nums))
