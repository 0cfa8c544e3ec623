import random

PUBLIC = [["ab", 3], ["x", 5]]


def generate(rng: random.Random) -> list:
    cases = [["abc", 0], ["", 4], ["z", 1], ["no ", 2], ["-", 40]]
    for _ in range(5):
        s = "".join(rng.choice("abc12") for _ in range(rng.randint(1, 6)))
        cases.append([s, rng.randint(1, 12)])
    return cases
