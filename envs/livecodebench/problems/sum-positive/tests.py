import random

PUBLIC = [[[1, -2, 3]], [[5]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[-1]], [[0, 4]], [[-3, -3]], [[9, -9, 9]], [[10**14, -5]]]
    cases += [[[rng.randint(-30, 30) for _ in range(size)]] for size in (4, 6, 9, 15)]
    return cases
