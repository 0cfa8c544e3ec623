import random

PUBLIC = [[[1, 2, 3]], [[3, 1]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[5]], [[2, 2]], [[1, 3, 2]], [[2, 1, 3]], [[-3, -1, 0]], [list(range(60))], [[*range(40), 3]]]
    for size in (6, 9):
        nums = sorted(rng.randint(0, 40) for _ in range(size))
        cases += [[nums], [nums[1:] + [-1]], [[50] + nums]]
    return cases
