def count_character(s: str, ch: str) -> int:
    return s.lower().count(ch.lower())
