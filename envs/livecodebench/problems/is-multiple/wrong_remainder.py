def is_multiple(a: int, b: int) -> int:
    return a % b
