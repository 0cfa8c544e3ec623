import random

PUBLIC = [[[3, 8, 5]], [[2, 2]]]


def generate(rng: random.Random) -> list:
    cases = [[[7]], [[-4, 4]], [[9, 1]], [[-5, -2, -9]], [[0, 10**14]]]
    cases += [[[rng.randint(-50, 50) for _ in range(rng.randint(3, 12))]] for _ in range(6)]
    return cases
