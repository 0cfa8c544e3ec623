def caesar_shift(text: str, k: int) -> list[str]:
    result = []
    for ch in text:
        if ch.isalpha():
            base = ord("a" if ch.islower() else "A")
            ch = chr((ord(ch) - base + k) % 26 + base)
        result.append(ch)
    return result
