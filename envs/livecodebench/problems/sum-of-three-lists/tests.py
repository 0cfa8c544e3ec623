import random

PUBLIC = [[[1, 2], [3], [4]], [[5], [6], [7, 8]]]


def generate(rng: random.Random) -> list:
    cases = [[[], [], []], [[1], [], []], [[], [2], []], [[], [], [3]], [[-1], [1], [0]], [[10**14], [5], [10**14]]]
    for _ in range(5):
        cases.append([[rng.randint(-30, 30) for _ in range(rng.randint(1, 6))] for _ in range(3)])
    return cases
