import random

PUBLIC = [[[4, 9, 9, 7]], [[5, 5]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[3]], [[0, 1]], [[1, 0, 1]], [[10**9, 10**9 - 1]], [[2] * 50 + [1]], [[8, 6, 7]]]
    cases += [[[rng.randint(0, 8) for _ in range(rng.randint(2, 12))]] for _ in range(3)]
    cases += [[[rng.randint(0, 10**9) for _ in range(rng.randint(20, 100))]] for _ in range(3)]
    return cases
