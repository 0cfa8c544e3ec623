import random

PUBLIC = [[2, 4], [1, 2]]


def generate(rng: random.Random) -> list:
    cases = [[0, 0], [5, 5], [-1, 0], [-3, -4], [0, 7], [10**15, 10**15 + 1], [-5, 2]]
    cases += [[rng.randint(-90, 90), rng.randint(-90, 90)] for _ in range(5)]
    return cases
