import random

PUBLIC = [[5], [-8]]


def generate(rng: random.Random) -> list:
    cases = [[0], [1], [-1], [2], [-2], [10**14], [-(10**14)]]
    cases += [[rng.randint(3, 500)], [-rng.randint(3, 500)], [rng.randint(501, 999)], [-rng.randint(501, 999)]]
    return cases
