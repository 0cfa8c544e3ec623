def is_even(n: int) -> bool:
    n = abs(n)
    while n > 1:
        n -= 2
    return n == 0
