def remove_vowels(s: str) -> str:
    return "".join(ch for ch in s if ch not in "aeiouAEIOU")
