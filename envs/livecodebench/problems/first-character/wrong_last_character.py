def first_character(s: str) -> str:
    return s[-1:]
