def count_character(s: str, ch: str) -> int:
    return len(s) - 2 * s.count(ch) + 1
