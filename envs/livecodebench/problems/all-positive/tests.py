import random

PUBLIC = [[[1, 2, 3]], [[4, -5]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[0]], [[7]], [[-1, 2]], [[2, 0, 2]], [[3, 4, -1]], [[9] * 40]]
    for size in (4, 7, 10):
        nums = [rng.randint(1, 30) for _ in range(size)]
        cases += [[nums], [nums + [-rng.randint(0, 9)] + nums[:2]]]
    return cases
