import random

PUBLIC = [[[1, 2, 3]], [[4, 5]]]


def generate(rng: random.Random) -> list:
    cases = [[[7]], [[0, 5, 1]], [[-4, 9, 4]], [[3, 3, 3]], [[9, 8, 7, 6]], [[5, 1, 10**14]]]
    cases += [[[rng.randint(-50, 50) for _ in range(size)]] for size in (3, 5, 8, 13, 20)]
    return cases
