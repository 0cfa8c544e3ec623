def count_positive(nums: list[int]) -> int:
    return sum(x > 0 for x in nums)
