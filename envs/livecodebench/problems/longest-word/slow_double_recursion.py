def longest_word(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    if len(words[-1]) > len(longest_word(words[:-1])):
        return max(words[-1], longest_word(words[:-1]), key=len)
    return longest_word(words[:-1])
