import random

PUBLIC = [[3], [7]]


def generate(rng: random.Random) -> list:
    cases = [[1], [5], [9], [10], [15], [30], [3 * 10**14], [10**14 + 3]]
    cases += [[15 * rng.randint(3, 60) + rest] for rest in (0, 2, 5, 6, 11)]
    return cases
