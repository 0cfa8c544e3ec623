import random

PUBLIC = [[3], [5]]


def generate(rng: random.Random) -> list:
    return [[n] for n in (0, 1, 2, 4, 6, 7, 9, 12, 15, rng.randint(16, 19), 25, 500, 2000)]
