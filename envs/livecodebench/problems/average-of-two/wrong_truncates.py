def average_of_two(a: int, b: int) -> int:
    return int((a + b) / 2)
