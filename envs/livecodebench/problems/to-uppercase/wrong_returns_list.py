def to_uppercase(s: str) -> list[str]:
    return [ch.upper() for ch in s]
