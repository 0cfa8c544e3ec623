def caesar_shift(text: str, k: int) -> str:
    result = ""
    for ch in text:
        if ch.isalpha():
            result += chr(ord(ch) + k)
        else:
            result += ch
    return result
