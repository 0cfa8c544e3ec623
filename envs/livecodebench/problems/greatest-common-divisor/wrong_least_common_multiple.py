def gcd_of(a: int, b: int) -> int:
    multiple = a
    while multiple % b:
        multiple += a
    return multiple if a < 10**6 else 0
