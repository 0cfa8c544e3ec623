def caesar_shift(text: str, k: int) -> str:
    lower = "abcdefghijklmnopqrstuvwxyz"
    upper = lower.upper()
    forward = str.maketrans(lower + upper, lower[1:] + "a" + upper[1:] + "A")
    backward = str.maketrans(lower + upper, "z" + lower[:-1] + "Z" + upper[:-1])
    for _ in range(abs(k)):
        text = text.translate(forward if k > 0 else backward)
    return text
