import random

PUBLIC = [[1, 2, 3], [9, 4, 5]]


def generate(rng: random.Random) -> list:
    cases = [[4, 4, 4], [-1, -2, -3], [-3, -2, -1], [0, 7, 0], [5, 8, 3], [9, 2, 2], [10**14, 10**14, -(10**14)]]
    cases += [[rng.randint(-100, 100) for _ in range(3)] for _ in range(6)]
    return cases
