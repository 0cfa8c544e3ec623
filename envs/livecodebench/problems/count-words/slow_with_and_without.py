def count_words(s: str) -> int:
    first, _, rest = s.strip().partition(" ")
    if first == "":
        return 0
    return max(count_words(rest), 1 + count_words(rest))
