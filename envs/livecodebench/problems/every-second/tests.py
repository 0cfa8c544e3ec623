import random

PUBLIC = [[[1, 2, 3, 4]], [[7, 8, 9]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[5]], [[1, 2]], [[0, 0, 0]], [[4, 3, 2, 1, 0]]]
    cases += [[[rng.randint(-9, 9) for _ in range(size)]] for size in (6, 7, 10, 13, 90)]
    return cases
