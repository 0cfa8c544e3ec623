def square(n: int) -> int:
    return n ^ 2
