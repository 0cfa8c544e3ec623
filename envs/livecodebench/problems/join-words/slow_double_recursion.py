def join_words(words: list[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return join_words(words[:-1]) + " " + words[-1] if join_words(words[:-1]) else words[-1]
