def remove_duplicates(nums: list[int]) -> list[int]:
    return list(dict.fromkeys(nums))
