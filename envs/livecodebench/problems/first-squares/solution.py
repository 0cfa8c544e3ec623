def first_squares(n: int) -> list[int]:
    return [i * i for i in range(1, n + 1)]
