import random

PUBLIC = [[[1, 2, 3]], [[4]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[0]], [[-3]], [[1, -1]], [[5, 5]], [[10**6, 3 * 10**6]]]
    cases += [[[rng.randint(-30, 30) for _ in range(rng.randint(2, 10))]] for _ in range(5)]
    return cases
