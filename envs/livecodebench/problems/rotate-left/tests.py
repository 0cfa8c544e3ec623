import random

PUBLIC = [[[1, 2, 3, 4], 1], [[1, 2, 3], 5]]


def generate(rng: random.Random) -> list:
    cases = [[[], 0], [[], 3], [[7], 10], [[1, 2], 2], [[1, 2, 3], 0], [[5, 5, 6], 4], [[1, 2, 3, 4, 5], 10**9 + 3]]
    for _ in range(6):
        nums = [rng.randint(-20, 20) for _ in range(rng.randint(2, 15))]
        cases.append([nums, rng.randint(0, 40)])
    cases.append([[1, 2, 3, 4, 5, 6, 7], 10**14])
    return cases
