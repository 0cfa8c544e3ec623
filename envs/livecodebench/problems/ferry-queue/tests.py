import random

PUBLIC = [[[3, 4, 2], 2, 6], [[5], 3, 10]]


def generate(rng: random.Random) -> list:
    cases = [[[1], 1, 1], [[2, 2], 1, 3], [[1, 1, 1], 5, 7], [[4, 6], 4, 10], [[7, 1], 10, 8], [[9, 2, 2], 6, 13]]
    for size, times, deck in [(4, 3, 20), (6, 9, 40), (10, 25, 90), (20, 40, 300)]:
        cases.append([[rng.randint(1, deck // 2) for _ in range(size)], times, deck])
    cases.append([[rng.randint(1, 300) for _ in range(50)], 10**15 - 7, 1000])
    cases.append([[1, 2, 3], 10**15, 1000])
    return cases
