import random

PUBLIC = [[[1, 2, 1]], [[3, 4]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[5]], [[2, 2]], [[0, -1, 1]], [[1, 2, 3, 1]], [list(range(60))], [[*range(12), 4]]]
    for size in (6, 9, 12):
        nums = rng.sample(range(50), size)
        cases += [[nums], [nums + [nums[rng.randint(0, size - 2)]]]]
    return cases
