import random

PUBLIC = [[[1, 2, 3]], [[5]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[0]], [[-1, -2]], [[7, 7]], [[10**9, -(10**9)]]]
    cases += [[[rng.randint(-99, 99) for _ in range(rng.randint(1, 15))]] for _ in range(5)]
    cases.append([[10**14, 3]])
    return cases
