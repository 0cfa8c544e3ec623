import random

PUBLIC = [[[1, 3, 2]], [[5, 4]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[7]], [[2, 2]], [[1, 2, 3]], [[0, -1, 1]], [[9, 8, 9, 7]]]
    cases += [[[rng.randint(-30, 30) for _ in range(size)]] for size in (4, 5, 7, 30)]
    return cases
