def square(n: int) -> int:
    total = 0
    for _ in range(abs(n)):
        for _ in range(abs(n)):
            total += 1
    return total
