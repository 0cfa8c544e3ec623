def caesar_shift(text: str, k: int) -> str:
    result = []
    for ch in text:
        if "a" <= ch <= "z":
            ch = chr((ord(ch) - ord("a") + k) % 26 + ord("a"))
        elif "A" <= ch <= "Z":
            ch = chr((ord(ch) - ord("A") + k) % 26 + ord("A"))
        result.append(ch)
    return "".join(result)
