import random

PUBLIC = [[5, 1, 10], [-3, 0, 7]]


def generate(rng: random.Random) -> list:
    cases = [[11, 1, 10], [1, 1, 10], [10, 1, 10], [4, 4, 4], [-8, -5, -2], [10**14, 0, 10**14 - 5]]
    for _ in range(6):
        low = rng.randint(-50, 20)
        cases.append([rng.randint(-99, 99), low, low + rng.randint(1, 60)])
    return cases
