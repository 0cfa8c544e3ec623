def letter_counts(s: str) -> dict[str, int]:
    return {ch: s.count(ch) for ch in s}
