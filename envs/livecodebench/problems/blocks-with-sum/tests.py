import random

PUBLIC = [[[1, 2, 3, -3, 3], 3], [[0, 0], 0]]


def generate(rng: random.Random) -> list:
    cases = [[[], 0], [[5], 5], [[5], 0], [[-1, -1, -1], -2], [[1, -1, 1, -1], 0], [[3, 4, 7, 2], 7], [[2, 2, 2], 4]]
    for size, reach in [(8, 3), (15, 3), (30, 2), (60, 5), (300, 4), (1000, 9)]:
        cases.append([[rng.randint(-reach, reach) for _ in range(size)], rng.randint(-reach, 2 * reach)])
    return cases
