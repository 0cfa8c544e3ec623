def count_character(s: str, ch: str) -> int:
    return 1 if ch in s else 0
