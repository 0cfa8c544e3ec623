import random

PUBLIC = [[1, 2, 3], [9, 4, 5]]


def generate(rng: random.Random) -> list:
    cases = [[4, 4, 4], [-1, -2, -3], [-3, -2, -1], [0, 7, 0], [5, 3, 8], [2, 9, 9]]
    cases += [[rng.randint(-100, 100) for _ in range(3)] for _ in range(6)]
    cases.append([0, 10**14, 5])
    return cases
