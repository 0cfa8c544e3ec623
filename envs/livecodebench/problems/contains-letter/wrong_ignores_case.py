def contains_letter(s: str, ch: str) -> bool:
    return ch.lower() in s.lower()
