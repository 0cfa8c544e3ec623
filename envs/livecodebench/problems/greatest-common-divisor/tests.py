import random

PUBLIC = [[12, 18], [7, 5]]


def generate(rng: random.Random) -> list:
    cases = [[1, 1], [9, 9], [5, 15], [100, 75], [1, 10**9], [6 * 10**12, 4 * 10**12], [10**15 + 37, 10**15]]
    for _ in range(5):
        factor = rng.randint(2, 40)
        cases.append([factor * rng.randint(2, 60), factor * rng.randint(2, 60)])
    return cases
