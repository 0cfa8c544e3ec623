def caesar_shift(text: str, k: int) -> str:
    lower = "abcdefghijklmnopqrstuvwxyz"
    upper = lower.upper()
    result = ""
    for ch in text:
        if ch in lower:
            result += (lower + lower)[lower.index(ch) + k]
        elif ch in upper:
            result += (upper + upper)[upper.index(ch) + k]
        else:
            result += ch
    return result
