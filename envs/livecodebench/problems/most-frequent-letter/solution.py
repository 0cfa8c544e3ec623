def most_frequent_letter(s: str) -> str:
    letters = sorted(set(s) - {" "})
    return max(letters, key=s.count, default="")
