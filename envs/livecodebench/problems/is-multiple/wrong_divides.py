def is_multiple(a: int, b: int) -> bool:
    return a != 0 and b % a == 0
