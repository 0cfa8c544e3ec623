import random

PUBLIC = [[["cat", "horse"]], [["a"]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [["", ""]], [["ab", "ab"]], [["a b", "c"]], [["one", "two", "three"]]]
    for size in (3, 5, 8, 60):
        cases.append([["".join(rng.choice("abcde") for _ in range(rng.randint(1, 7))) for _ in range(size)]])
    return cases
