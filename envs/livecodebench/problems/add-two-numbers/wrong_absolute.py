def add_two_numbers(a: int, b: int) -> int:
    return abs(a) + abs(b)
