import random

PUBLIC = [[[1, 2, 3, 4]], [[5, 6]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[1]], [[0]], [[-2, -1]], [[8, 2, 8]], [[9, 7, 5, 4]]]
    cases += [[[rng.randint(-30, 30) for _ in range(size)]] for size in (5, 7, 9, 12, 60)]
    return cases
