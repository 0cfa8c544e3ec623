def count_vowels(s: str) -> list[str]:
    return [ch for ch in s if ch in "aeiouAEIOU"]
