from itertools import product


def concatenate(a: str, b: str) -> str:
    for letters in product(sorted({*a, *b}), repeat=len(a) + len(b)):
        text = "".join(letters)
        if text[: len(a)] == a and text[len(a) :] == b:
            return text
