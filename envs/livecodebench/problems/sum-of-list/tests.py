import random

PUBLIC = [[[1, 2, 3]], [[10, 20]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[5]], [[-1, 1]], [[-4, -6]], [[0, 0, 0]], [[10**9] * 5]]
    cases += [[[rng.randint(-100, 100) for _ in range(rng.randint(2, 30))]] for _ in range(5)]
    return cases
