def first_character(s: str) -> list[str]:
    return list(s)[:1]
