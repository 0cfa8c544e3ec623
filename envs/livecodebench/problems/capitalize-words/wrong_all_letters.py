def capitalize_words(s: str) -> str:
    return s.upper() + " "
