import random

PUBLIC = [[[3, 1, 2]], [[8, 9]]]


def generate(rng: random.Random) -> list:
    cases = [[[5]], [[0, 0]], [[-4, -9, -1]], [[100, 200, 99]], [[7, 3, 3, 7]]]
    cases += [[[rng.randint(-100, 100) for _ in range(rng.randint(2, 20))]] for _ in range(6)]
    cases.append([list(range(60, 0, -1))])
    return cases
