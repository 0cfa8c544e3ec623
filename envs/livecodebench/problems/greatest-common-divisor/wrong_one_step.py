def gcd_of(a: int, b: int) -> int:
    return max(a, b) % min(a, b) + 1
