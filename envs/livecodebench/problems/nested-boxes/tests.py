import random

PUBLIC = [[[[3, 1], [2, 4], [5, 5]]], [[[2, 2], [2, 3]]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[[7, 7]]], [[[1, 9], [9, 1]]], [[[1, 9], [10, 2]]], [[[5, 6], [6, 5], [7, 7], [8, 7]]]]
    cases.append([[[4, 1], [2, 3], [3, 5], [9, 4], [6, 6]]])
    for size, reach in [(5, 9), (8, 12), (12, 20), (16, 9), (40, 100), (120, 10**9)]:
        cases.append([[[rng.randint(1, reach), rng.randint(1, reach)] for _ in range(size)]])
    cases.append([[[i, i] for i in range(1, 61)]])
    return cases
