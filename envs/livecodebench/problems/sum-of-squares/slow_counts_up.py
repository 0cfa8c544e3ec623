def sum_of_squares(nums: list[int]) -> int:
    total = 0
    for x in nums:
        for _ in range(x * x):
            total += 1
    return total
