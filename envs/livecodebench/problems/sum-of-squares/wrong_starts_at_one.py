def sum_of_squares(nums: list[int]) -> int:
    total = 1
    for x in nums:
        total += x * x
    return total
