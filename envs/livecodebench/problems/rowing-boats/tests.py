import random

PUBLIC = [[[60, 80, 50], 120], [[5], 9]]


def generate(rng: random.Random) -> list:
    cases = [[[], 10], [[4, 4], 8], [[4, 5], 8], [[1, 2, 3, 4], 5], [[9, 9, 9, 1], 10], [[3, 5, 3, 4], 7]]
    for size, most, limit in [(5, 9, 10), (7, 20, 25), (9, 30, 40), (11, 50, 60), (200, 10**8, 11 * 10**7)]:
        cases.append([[rng.randint(1, most) for _ in range(size)], limit])
    return cases
