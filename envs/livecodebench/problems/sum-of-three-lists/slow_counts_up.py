def sum_of_three_lists(a: list[int], b: list[int], c: list[int]) -> int:
    total = 0
    for x in a + b + c:
        for _ in range(abs(x)):
            total += 1 if x > 0 else -1
    return total
