import random

PUBLIC = [[[1, 3], [2]], [[5], [5, 4]]]


def generate(rng: random.Random) -> list:
    cases = [[[], []], [[1], []], [[], [2, 1]], [[3, 3], [3]], [[-1, 4], [-5]]]
    for size in (3, 4, 6, 8, 20):
        cases.append([[rng.randint(-9, 9) for _ in range(size)], [rng.randint(-9, 9) for _ in range(size - 1)]])
    return cases
