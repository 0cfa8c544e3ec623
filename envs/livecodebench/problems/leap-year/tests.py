import random

PUBLIC = [[2024], [2023]]


def generate(rng: random.Random) -> list:
    cases = [[1900], [2000], [4], [100], [400], [2100], [1], [4 * 10**13], [4 * 10**13 + 100]]
    cases += [[4 * rng.randint(401, 424)], [4 * rng.randint(426, 449)], [rng.randint(500, 600) * 4 + 2]]
    return cases
