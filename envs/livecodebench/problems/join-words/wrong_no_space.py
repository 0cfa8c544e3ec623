def join_words(words: list[str]) -> str:
    return "".join(words)
