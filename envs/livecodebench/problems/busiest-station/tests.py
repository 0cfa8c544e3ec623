import random

PUBLIC = ["3\n1 5 10\n3 8 5\n5 6 2\n", "2\n2 4 7\n6 7 7\n"]


def train(groups: list) -> str:
    return f"{len(groups)}\n" + "".join(f"{a} {b} {size}\n" for a, b, size in groups)


def generate(rng: random.Random) -> list:
    cases = [
        train([(1, 2, 1)]),
        train([(5, 9, 3), (9, 12, 3)]),
        train([(1, 10, 4), (2, 9, 4), (3, 8, 4), (3, 4, 1)]),
        train([(2, 20, 5), (4, 6, 2), (8, 11, 2)]),
        train([(3, 10**15, 8), (7, 9, 1), (10**14, 10**14 + 5, 1)]),
    ]
    for n, end, size in [(4, 12, 5), (6, 30, 3), (12, 60, 9), (30, 500, 40), (100, 10**15, 1000)]:
        groups = []
        for _ in range(n):
            a, b = sorted(rng.sample(range(1, end + 1), 2))
            groups.append((a, b, rng.randint(1, size)))
        cases.append(train(groups))
    return cases
