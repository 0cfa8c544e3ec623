import random

PUBLIC = [[[5, 9, 3]], [[7]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [[4, 4, 9]], [[8, 1]], [[10, 2, 3]], [[20, 9, 1, 30]], [[50, 1, 2, 60]], [[64, 1, 2, 4, 99]]]
    cases += [[[1, 3, 9, 27, 81]], [[100, 40, 10]], [[90, 33, 11, 3]], [[2**i for i in range(7)]]]
    cases += [[[rng.randint(1, 100) for _ in range(size)]] for size in (3, 4, 4, 5)]
    cases.append([[2 * rng.randint(20, 50) for _ in range(47)] + [1, 98, 99]])
    cases.append([[64] * 49])
    cases.append([[60] * 46 + [37, 7]])
    return cases
