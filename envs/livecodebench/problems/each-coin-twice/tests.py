import random

PUBLIC = [[[1, 5, 7], 12], [[4, 6], 7]]


def generate(rng: random.Random) -> list:
    cases = [
        [[], 0],
        [[], 3],
        [[3], 0],
        [[3], 6],
        [[3], 9],
        [[1, 6, 10], 12],
        [[2, 3], 10],
        [[5, 4, 1], 8],
        [[9, 1], 5],
    ]
    for size, reach, amount in [(4, 9, 20), (5, 15, 31), (6, 20, 44), (40, 500, 3000), (30, 200, 1234)]:
        cases.append([rng.sample(range(1, reach + 1), size), amount])
    return cases
