def min_of_three(a: int, b: int, c: int) -> int:
    return sorted([a, b, c])[1]
