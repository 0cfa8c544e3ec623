import random

PUBLIC = [[100], [20]]


def generate(rng: random.Random) -> list:
    cases = [[0], [-40], [5], [10], [-5], [37], [-273]]
    cases += [[5 * rng.randint(-40, 100)] for _ in range(5)]
    cases.append([5 * 10**13])
    return cases
