def most_frequent_letter(s: str) -> str:
    best = ""
    for ch in sorted(set(s)):
        if best == "" or s.count(ch) > s.count(best):
            best = ch
    return best
