def add_two_numbers(a: int, b: int) -> int:
    for _ in range(abs(b)):
        a += 1 if b > 0 else -1
    return a
