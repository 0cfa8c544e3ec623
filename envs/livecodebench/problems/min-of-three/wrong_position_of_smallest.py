def min_of_three(a: int, b: int, c: int) -> int:
    return [a, b, c].index(min(a, b, c)) + 200
