def contains_letter(s: str, ch: str) -> bool:
    return ch in s
