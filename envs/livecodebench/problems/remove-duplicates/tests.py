import random

PUBLIC = [[[1, 2, 1, 3]], [[4, 4]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[5]], [[3, 1, 2]], [[9, 8, 9, 8, 7]], [[0, 0, 0, 1]], [[-1, 1, -1]]]
    cases += [[[rng.randint(-6, 6) for _ in range(size)]] for size in (6, 8, 10, 15)]
    cases.append([[*range(60, 0, -1), 5]])
    return cases
