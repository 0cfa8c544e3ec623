def gcd_of(a: int, b: int) -> int:
    d = min(a, b)
    while a % d or b % d:
        d -= 1
    return d
