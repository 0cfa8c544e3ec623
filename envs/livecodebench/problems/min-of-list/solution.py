def min_of_list(nums: list[int]) -> int:
    return min(nums)
