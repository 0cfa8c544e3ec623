import random

PUBLIC = [[4], [7]]


def generate(rng: random.Random) -> list:
    cases = [[0], [1], [-2], [-3], [10**15], [10**15 + 1]]
    cases += [[rng.randint(-1000, 1000)] for _ in range(5)]
    cases.append([10**15 + 3])
    return cases
