def average_of_two(a: int, b: int) -> int:
    return a + b // 2
