import random

PUBLIC = [[[1, 2, 3, 4]], [[6]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[1, 3]], [[0]], [[-2, -1]], [[2, 2, 2]]]
    cases += [[[rng.randint(-20, 20) for _ in range(size)]] for size in (5, 8, 12, 20, 60)]
    return cases
