import random

PUBLIC = [[[1, 2, 3], 2], [[4, 5], 6]]


def generate(rng: random.Random) -> list:
    cases = [[[], 0], [[1], 1], [[1], 2], [[3, 4, 5], 5], [[3, 4, 5], 3], [[-1, 0], -1]]
    for _ in range(5):
        nums = [rng.randint(0, 12) for _ in range(rng.randint(3, 10))]
        cases.append([nums, rng.randint(0, 12)])
    cases += [[[4, 6, 8], 7], [[-2, 2], 0], [[9], -9], [[1, 11, 111], 10], [list(range(40)), 99]]
    return cases
