def letter_counts(s: str) -> dict[str, int]:
    return {ch: s.lower().count(ch) for ch in s.lower()}
