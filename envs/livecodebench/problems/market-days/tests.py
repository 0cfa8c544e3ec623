import random

PUBLIC = [[[1, 5, 2, 8], 1], [[9, 4, 3], 0]]


def generate(rng: random.Random) -> list:
    cases = [[[], 3], [[7], 0], [[1, 4], 2], [[1, 4], 3], [[1, 9, 2, 3, 9], 1], [[5, 6, 1, 9, 10], 0]]
    cases.append([[1, 2, 3, 0, 2, 8, 1, 4], 0])
    for size, reach, fee in [(8, 20, 2), (10, 30, 5), (12, 50, 0), (60, 100, 7), (200, 10**9, 10**7)]:
        cases.append([[rng.randint(0, reach) for _ in range(size)], fee])
    return cases
