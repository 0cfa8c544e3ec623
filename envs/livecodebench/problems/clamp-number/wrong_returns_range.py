def clamp(x: int, low: int, high: int) -> bool:
    return [low <= x <= high]
