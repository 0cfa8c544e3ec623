def first_squares(n: int) -> list[int]:
    if n == 0:
        return []
    return first_squares(n - 1) + [n * n] if len(first_squares(n - 1)) == n - 1 else []
