def most_frequent_letter(s: str) -> int:
    return max((s.count(ch) for ch in s if ch != " "), default=0)
