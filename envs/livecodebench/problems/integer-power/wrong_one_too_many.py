def power(base: int, exponent: int) -> int:
    return base ** (exponent + 1) + (base in (0, 1))
