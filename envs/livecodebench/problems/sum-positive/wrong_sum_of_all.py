def sum_positive(nums: list[int]) -> int:
    return sum(nums)
