def min_of_list(nums: list[int]) -> list[int]:
    return sorted(nums)
