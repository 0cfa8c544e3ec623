import random

PUBLIC = [["foo", "bar"], ["a", "b"]]


def generate(rng: random.Random) -> list:
    cases = [["", ""], ["", "x"], ["x", ""], ["one ", "two"], ["12", "34"]]
    cases += [["".join(rng.choice("abcxyz") for _ in range(rng.randint(1, 12))) for _ in range(2)] for _ in range(5)]
    return cases
