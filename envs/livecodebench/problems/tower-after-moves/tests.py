import random

PUBLIC = [[2, 1], [3, 4]]


def generate(rng: random.Random) -> list:
    cases = [[1, 0], [1, 1], [2, 2], [2, 3], [3, 2], [3, 7], [4, 8], [5, 11]]
    cases += [[n, rng.randrange(2**n)] for n in (5, 6, 8, 10, 45, 50)]
    return cases
