import random

PUBLIC = [[[1, 2, 3, 4]], [[5, 8]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[1]], [[0, 2]], [[-2, -3]], [[7, 9, 2]], [[10**14, 10**14 + 1]]]
    cases += [[[rng.randint(-30, 30) for _ in range(size)]] for size in (5, 7, 9, 12)]
    return cases
