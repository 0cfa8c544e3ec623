def longest_word(words: list[str]) -> str:
    best = ""
    for word in words:
        if len(word) >= len(best):
            best = word
    return best
