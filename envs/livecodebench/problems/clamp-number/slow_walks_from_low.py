def clamp(x: int, low: int, high: int) -> int:
    place = low
    while place < x and place < high:
        place += 1
    return place
