def sum_of_list(nums: list[int]) -> int:
    total = 0
    for x in nums:
        for _ in range(abs(x)):
            total += 1 if x > 0 else -1
    return total
