import random

PUBLIC = [[3, 4], [5, 5]]


def generate(rng: random.Random) -> list:
    cases = [[1, 1], [2, 2], [10, 1], [7, 0], [4, 9], [10**14, 3]]
    cases += [[rng.randint(2, 90), rng.randint(2, 90)] for _ in range(5)]
    return cases
