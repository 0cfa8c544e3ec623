import random

PUBLIC = [[3, [1, 2]], [4, [1]]]


def generate(rng: random.Random) -> list:
    cases = [[1, [2]], [1, [1]], [2, [1]], [6, [2, 3]], [5, [1, 2]], [7, [1, 3]], [9, [1, 2, 4]], [3, [3, 4, 5]]]
    cases += [[rng.randint(8, 22), sorted(rng.sample(range(1, 6), 3))] for _ in range(4)]
    cases += [[6, [1, 2]], [12, [1, 2]], [10, [2, 3]], [10**15 - 1, [1, 2]], [10**15, [1, 2]]]
    return cases
