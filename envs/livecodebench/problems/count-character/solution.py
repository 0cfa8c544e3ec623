def count_character(s: str, ch: str) -> int:
    return s.count(ch)
