import random

PUBLIC = [[100, [[30, 50], [10, 20]], 5, 30], [10, [[2, 4]], 1, 8]]


def generate(rng: random.Random) -> list:
    cases = [
        [10, [], 3, 10],
        [10, [], 0, 11],
        [20, [[0, 5], [5, 9]], 0, 11],
        [20, [[6, 9]], 2, 4],
        [20, [[6, 9]], 2, 5],
        [50, [[0, 40], [5, 10], [12, 20]], 1, 4],
        [30, [[20, 25], [3, 8]], 2, 8],
        [30, [[20, 25], [3, 8]], 2, 9],
    ]
    for size, close, longest, pause, length in [(4, 60, 8, 1, 9), (6, 120, 15, 2, 14), (10, 500, 40, 5, 30)]:
        bookings = []
        for _ in range(size):
            start = rng.randint(0, close - longest)
            bookings.append([start, start + rng.randint(1, longest)])
        cases.append([close, bookings, pause, length])
    far = 10**13
    cases.append([10**15, [[i * far + 100, (i + 1) * far] for i in range(70)], 3, 200])
    return cases
