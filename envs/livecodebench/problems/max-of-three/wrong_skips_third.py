def max_of_three(a: int, b: int, c: int) -> int:
    if a > b:
        return a
    if b > c:
        return b
    return c
