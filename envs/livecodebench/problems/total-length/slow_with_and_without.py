def total_length(words: list[str]) -> int:
    if not words:
        return 0
    return max(total_length(words[1:]), len(words[0]) + total_length(words[1:]))
