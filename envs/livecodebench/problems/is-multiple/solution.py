def is_multiple(a: int, b: int) -> bool:
    return a % b == 0
