def all_positive(nums: list[int]) -> bool:
    return all(x >= 0 for x in nums)
