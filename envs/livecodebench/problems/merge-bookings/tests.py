import random

PUBLIC = [[[[5, 8], [1, 3], [2, 4]]], [[[1, 10], [2, 3], [10, 12]]]]


def generate(rng: random.Random) -> list:
    cases = [
        [[]],
        [[[4, 4]]],
        [[[1, 2], [3, 4]]],
        [[[3, 4], [1, 3]]],
        [[[0, 100], [1, 2], [50, 60], [99, 101]]],
        [[[5, 5], [5, 5], [6, 6]]],
        [[[-(10**6), 10**6], [-10, 10]]],
    ]
    for size, span, reach in [(5, 20, 4), (10, 60, 6), (15, 80, 8), (30, 400, 20), (100, 5000, 40), (200, 10**6, 4000)]:
        bookings = []
        for _ in range(size):
            start = rng.randint(-span, span - reach)
            bookings.append([start, start + rng.randint(0, reach)])
        cases.append([bookings])
    cases.append([[[i, 100 + i] for i in range(60)]])
    return cases
