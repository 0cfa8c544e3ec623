import random

PUBLIC = [[[1, 2], [3, 4]], [[5], [6]]]


def generate(rng: random.Random) -> list:
    cases = [[[], []], [[0], [0]], [[-1, 1], [1, -1]], [[10**14], [10**14]], [[1, 2, 3], [9, 9, 9]]]
    for size in (3, 4, 6, 9):
        cases.append([[rng.randint(-20, 20) for _ in range(size)] for _ in range(2)])
    return cases
