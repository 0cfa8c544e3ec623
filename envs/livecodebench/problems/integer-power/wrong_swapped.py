def power(base: int, exponent: int) -> int:
    return exponent ** abs(base) + (base < 0)
