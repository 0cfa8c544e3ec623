def count_words(s: str) -> int:
    return s.count(" ") + 1
