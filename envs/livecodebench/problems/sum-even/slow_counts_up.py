def sum_even(nums: list[int]) -> int:
    total = 0
    for x in nums:
        if x % 2 == 0:
            for _ in range(abs(x)):
                total += 1 if x > 0 else -1
    return total
