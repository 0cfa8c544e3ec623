def clamp(x: int, low: int, high: int) -> int:
    return low if x < low else x
