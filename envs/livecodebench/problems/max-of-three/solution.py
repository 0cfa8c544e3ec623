def max_of_three(a: int, b: int, c: int) -> int:
    return max(a, b, c)
