import random

PUBLIC = [[[3, 1, 2, 5, 4]], [[2, 2]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[9]], [[5, 4, 3]], [[1, 2, 3, 4]], [[9, 1, 2, 3]], [[1, 2, 2, 3]], [[-3, -2, -1, -1, 0]]]
    cases += [[[rng.randint(-9, 9) for _ in range(rng.randint(5, 40))]] for _ in range(6)]
    cases.append([[rng.randint(-9, 9) for _ in range(60)]])
    return cases
