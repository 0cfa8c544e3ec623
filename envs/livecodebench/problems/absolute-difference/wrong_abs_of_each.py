def absolute_difference(a: int, b: int) -> int:
    return abs(abs(a) - abs(b))
