import random

PUBLIC = [[10, 2, 1, 3], [6, 1, 2, 4]]


def generate(rng: random.Random) -> list:
    cases = [[1, 0, 0, 5], [5, 3, 3, 2], [5, 4, 0, 1], [7, 0, 6, 13], [12, 0, 6, 9], [12, 0, 4, 9], [8, 5, 1, 8]]
    for n in (15, 40, 97, 210, 999):
        cases.append([n, rng.randrange(n), rng.randrange(n), rng.randint(2, 3 * n)])
    n = 10**15 - 11
    cases.append([n, rng.randrange(n), rng.randrange(n), rng.randrange(2, n)])
    cases.append([10**15, 3, 5 * 10**14 + 3, 6])
    return cases
