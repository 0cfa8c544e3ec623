import random

PUBLIC = [[[4, 5, 6]], [[1, 1]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[0]], [[2, 2, 2, 2]], [[-1, 0, 1]], [list(range(50))]]
    cases += [[[rng.randint(0, 5) for _ in range(rng.randint(2, 25))]] for _ in range(5)]
    return cases
