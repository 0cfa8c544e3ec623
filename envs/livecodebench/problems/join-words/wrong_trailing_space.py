def join_words(words: list[str]) -> str:
    result = ""
    for word in words:
        result += word + " "
    return result
