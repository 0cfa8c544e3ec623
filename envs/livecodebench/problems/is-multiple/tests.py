import random

PUBLIC = [[12, 4], [7, 2]]


def generate(rng: random.Random) -> list:
    cases = [[0, 5], [5, 10], [9, 9], [-8, 4], [-9, 4], [10, 1], [10**14, 7], [3 * 10**14, 3], [4, 12]]
    for _ in range(2):
        b = rng.randint(3, 20)
        cases += [[b * rng.randint(2, 30), b], [b * rng.randint(2, 30) + rng.randint(1, b - 1), b]]
    return cases
