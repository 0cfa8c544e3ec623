def reverse_words(s: str) -> list[str]:
    return s.split()[::-1]
