import random

PUBLIC = [[5], [7]]


def generate(rng: random.Random) -> list:
    return [[n] for n in (0, 1, 2, 3, 4, 6, 10, 15, rng.randint(16, 19), 80, 90)]
