def sum_positive(nums: list[int]) -> int:
    return len([x for x in nums if x > 0])
