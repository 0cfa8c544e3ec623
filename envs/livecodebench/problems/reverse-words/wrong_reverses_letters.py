def reverse_words(s: str) -> str:
    return s[::-1]
