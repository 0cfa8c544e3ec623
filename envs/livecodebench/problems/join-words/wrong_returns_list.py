def join_words(words: list[str]) -> list[str]:
    return words
