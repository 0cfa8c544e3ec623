def to_uppercase(s: str) -> str:
    return s.upper()
