def sum_positive(nums: list[int]) -> list[int]:
    return [x for x in nums if x > 0]
