def most_frequent_letter(s: str) -> str:
    letters = sorted(s.replace(" ", ""))
    return max(letters, key=letters.count)
