import random

PUBLIC = [["table", "tale"], ["cat", "cut"]]


def word(rng: random.Random, letters: str, size: int) -> str:
    return "".join(rng.choice(letters) for _ in range(rng.randint(size // 2, size)))


def generate(rng: random.Random) -> list:
    cases = [["", ""], ["", "abc"], ["abcd", ""], ["same", "same"], ["abc", "xyz"], ["abab", "baba"], ["aaaa", "aa"]]
    cases.append(["a" * 120, "b" * 120])
    for size in (6, 10, 15, 30, 60, 120):
        cases.append([word(rng, "abc", size), word(rng, "abcd", size)])
    return cases
