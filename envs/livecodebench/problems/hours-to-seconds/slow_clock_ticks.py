def to_seconds(hours: int, minutes: int) -> int:
    seconds = 0
    for _ in range(hours):
        for _ in range(3600):
            seconds += 1
    for _ in range(minutes):
        seconds += 60
    return seconds
