import random

PUBLIC = [[[4, 5, 6], 5], [[1, 2], 9]]


def generate(rng: random.Random) -> list:
    cases = [[[], 3], [[7], 7], [[2, 2, 2], 2], [[1, 2, 3], 3], [[5, 1, 5, 1], 1]]
    for size in (6, 8, 10, 12):
        nums = [rng.randint(0, 9) for _ in range(size)]
        cases.append([nums, nums[rng.randint(1, size - 1)]])
    cases.append([[rng.randint(0, 9) for _ in range(60)] + [77], 77])
    return cases
