def sum_of_squares(nums: list[int]) -> int:
    return sum(x * x for x in nums)
