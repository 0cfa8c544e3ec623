import random

PUBLIC = [[1, 2], [10, 5]]


def generate(rng: random.Random) -> list:
    cases = [[0, 0], [-3, 3], [-7, -8], [10**12, 1], [0, -5]]
    cases += [[rng.randint(-1000, 1000), rng.randint(-1000, 1000)] for _ in range(6)]
    cases.append([5, 10**13])
    return cases
