def gcd_of(a: int, b: int) -> int:
    for d in range(2, 1000):
        if a % d == 0 and b % d == 0:
            return d
    return 1
