def sum_positive(nums: list[int]) -> int:
    total = 0
    for x in nums:
        for _ in range(x):
            total += 1
    return total
