def contains_letter(s: str, ch: str) -> bool:
    return s.startswith(ch)
