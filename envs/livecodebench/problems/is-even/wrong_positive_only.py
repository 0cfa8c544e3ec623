def is_even(n: int) -> bool:
    return n > 0 and n % 2 == 0
