def first_character(s: str) -> str:
    if len(s) < 2:
        return s
    return first_character(s[:-1]) if first_character(s[:-1]) == s[0] else s[0]
