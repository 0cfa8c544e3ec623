import random

PUBLIC = [[[2, 3, 4]], [[5, 10]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[7]], [[0, 5]], [[-1, 6]], [[-2, -2]], [[10**6, 10**7]], [[2] * 50]]
    cases += [[[rng.randint(1, 9) * rng.choice([-1, 1]) for _ in range(rng.randint(2, 7))]] for _ in range(5)]
    return cases
