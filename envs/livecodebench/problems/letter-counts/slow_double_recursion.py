def letter_counts(s: str) -> dict[str, int]:
    if s == "":
        return {}
    return {**letter_counts(s[:-1]), s[-1]: letter_counts(s[:-1]).get(s[-1], 0) + 1}
