import random

PUBLIC = [[[1, 2, 3], 5], [[4], -1]]


def generate(rng: random.Random) -> list:
    cases = [[[], 3], [[0], 0], [[7, 7], 1], [[-1, 1], -2], [[5, 10], 10**14]]
    for size in (3, 4, 6, 9):
        cases.append([[rng.randint(-30, 30) for _ in range(size)], rng.randint(-20, 20)])
    return cases
