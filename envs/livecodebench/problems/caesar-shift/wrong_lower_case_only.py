def caesar_shift(text: str, k: int) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    result = ""
    for ch in text:
        if ch in alphabet:
            result += alphabet[(alphabet.index(ch) + k) % 26]
        else:
            result += ch
    return result
