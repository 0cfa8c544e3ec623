import random

PUBLIC = [[[1, 2, 4]], [[-1, -2]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[7]], [[0, 0, 0]], [[-5, -5, -6]], [[10**18, 10**18 - 1]], [[3, -4]]]
    cases += [[[rng.randint(-100, 100) for _ in range(rng.randint(2, 20))]] for _ in range(6)]
    return cases
