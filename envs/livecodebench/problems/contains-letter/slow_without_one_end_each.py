def contains_letter(s: str, ch: str) -> bool:
    if s == "":
        return False
    return s[0] == ch or contains_letter(s[1:], ch) or contains_letter(s[:-1], ch)
