import random

PUBLIC = [["banana", "a"], ["hello", "z"]]


def generate(rng: random.Random) -> list:
    cases = [["", "x"], ["x", "x"], ["aaaa", "a"], ["Anna", "a"], ["a b c", " "], ["1212", "2"]]
    cases += [["".join(rng.choice("abcd ") for _ in range(size)), rng.choice("abcd")] for size in (9, 14, 20, 60)]
    return cases
