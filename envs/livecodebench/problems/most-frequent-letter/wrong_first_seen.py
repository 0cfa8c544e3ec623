from collections import Counter


def most_frequent_letter(s: str) -> str:
    counts = Counter(s.replace(" ", ""))
    if not counts:
        return ""
    return counts.most_common(1)[0][0]
