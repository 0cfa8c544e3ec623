import random

PUBLIC = [[3, 4, 5], [1, 2, 8]]


def generate(rng: random.Random) -> list:
    big = 10**14
    cases = [[1, 1, 1], [1, 2, 3], [9, 2, 3], [2, 9, 3], [5, 5, 9], [big, big, big], [3, 1, 2], [7, 2, 7]]
    cases.append([big, 2 * big, 3 * big])
    for _ in range(2):
        a, b = rng.randint(5, 20), rng.randint(5, 20)
        cases += [[a, b, a + b - 1], [a, a + b, b]]
    return cases
