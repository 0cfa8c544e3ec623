import random

PUBLIC = [[5, [2]], [4, [2, 3]]]


def generate(rng: random.Random) -> list:
    cases = [[7, []], [1, [2, 3, 5]], [10, [4, 6]], [10, [6, 4, 4]], [20, [7, 14]], [33, [3, 9, 27]], [12, [1000]]]
    cases += [[rng.randint(10, 400), [rng.randint(2, 20) for _ in range(size)]] for size in (2, 3, 4)]
    cases += [[10**15, [2, 3, 5, 7, 11, 13]], [10**15 - 1, [6, 10, 15, 100, 999]]]
    return cases
