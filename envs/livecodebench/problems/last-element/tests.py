import random

PUBLIC = [[[1, 2, 3]], [[5, 8]]]


def generate(rng: random.Random) -> list:
    cases = [[[7]], [[0, 0, 0]], [[-1, -2]], [[3, 1, 2]], [[9, 8, 7, 6, 5]]]
    cases += [[[rng.randint(-50, 50) for _ in range(rng.randint(1, 20))]] for _ in range(6)]
    cases.append([[rng.randint(-50, 50) for _ in range(60)]])
    return cases
