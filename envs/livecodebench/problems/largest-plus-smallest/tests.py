import random

PUBLIC = [[[3, 8, 5]], [[2, 9]]]


def generate(rng: random.Random) -> list:
    cases = [[[7]], [[-4, 5]], [[9, 1, 4]], [[-5, -2, -9]], [[6, 6]], [[10**14, 1, 5]], [[*range(40, 0, -1)]]]
    cases += [[[rng.randint(-50, 50) for _ in range(rng.randint(3, 12))]] for _ in range(5)]
    return cases
