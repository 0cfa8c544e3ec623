def sum_positive(nums: list[int]) -> int:
    return sum(x for x in nums if x > 0)
