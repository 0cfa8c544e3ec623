import random

PUBLIC = [["banana", "n"], ["hello", "z"]]


def generate(rng: random.Random) -> list:
    cases = [["", "x"], ["x", "x"], ["abc", "c"], ["Anna", "a"], ["ABC", "a"], ["a b", " "], ["ab" * 20, "c"]]
    for size in (8, 14):
        s = "".join(rng.choice("abcdefg") for _ in range(size))
        cases += [[s, s[size // 2]], [s, rng.choice("xyz")], [s, s[-1]]]
    return cases
