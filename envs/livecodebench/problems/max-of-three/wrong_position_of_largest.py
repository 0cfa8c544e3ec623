def max_of_three(a: int, b: int, c: int) -> int:
    return [a, b, c].index(max(a, b, c))
