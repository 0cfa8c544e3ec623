def capitalize_words(s: str) -> list[str]:
    return [word.capitalize() for word in s.split()]
