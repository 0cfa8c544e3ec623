def sum_of_squares(nums: list[int]) -> int:
    return sum(nums) ** 2
