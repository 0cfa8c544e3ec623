def sum_of_cubes(a: int, b: int, c: int) -> int:
    total = 0
    for x in (a, b, c):
        for _ in range(abs(x) ** 3):
            total += 1 if x > 0 else -1
    return total
