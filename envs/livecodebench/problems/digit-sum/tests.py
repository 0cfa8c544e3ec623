import random

PUBLIC = [[123], [40]]


def generate(rng: random.Random) -> list:
    cases = [[0], [7], [10], [999], [1000], [10**15 + 1], [9 * 10**17]]
    cases += [[rng.randint(11, 10**k)] for k in (3, 4, 6, 9, 12)]
    return cases
