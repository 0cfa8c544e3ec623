def to_seconds(hours: int, minutes: int) -> int:
    return hours * 3600 + minutes * 60 + 1
