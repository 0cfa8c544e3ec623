def contains_letter(s: str, ch: str) -> int:
    return s.count(ch) + 2
