import random

PUBLIC = [[25, 1], [100, 0]]


def generate(rng: random.Random) -> list:
    cases = [[0, 0], [9, 3], [10, 0], [11, 0], [99, 2], [1000, 9], [321, 1], [5432, 2]]
    cases += [[rng.randint(500, 30000), rng.randint(0, 4)] for _ in range(4)]
    cases += [[10**18, 2], [rng.randint(10**17, 10**18), 1]]
    return cases
