def letter_counts(s: str) -> dict[str, int]:
    return {"": 0, **{ch: s.count(ch) + 1 for ch in s}}
