import random

PUBLIC = [["abc", [1, 2, 0], 1], ["abcd", [1, 0, 3, 2], 3]]


def generate(rng: random.Random) -> list:
    cases = [
        ["x", [0], 5],
        ["ab", [1, 0], 0],
        ["ab", [1, 0], 10**18],
        ["abc", [2, 0, 1], 2],
        ["abcde", [1, 2, 0, 4, 3], 5],
    ]
    for size, k in [(6, 4), (7, 9), (9, 20), (15, 30), (26, 10**18 - 1), (200, 10**17 + 3)]:
        cards = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(size))
        cases.append([cards, rng.sample(range(size), size), k])
    return cases
