def letter_counts(s: str) -> dict[str, int]:
    return dict.fromkeys(s, 1)
