def sort_descending(nums: list[int]) -> list[int]:
    return sorted(nums)
