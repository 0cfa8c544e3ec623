def total_length(words: list[str]) -> int:
    return len(" ".join(words))
