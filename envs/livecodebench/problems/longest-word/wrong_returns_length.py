def longest_word(words: list[str]) -> int:
    return max(len(word) for word in words)
