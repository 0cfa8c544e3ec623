import random

PUBLIC = [[[1, -2, 3]], [[4, 5]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[0]], [[-1, -2]], [[0, 0, 5]], [[7]], [[1, 2, 3, 4]]]
    cases += [[[rng.randint(-9, 9) for _ in range(size)]] for size in (6, 8, 10, 12, 50)]
    return cases
