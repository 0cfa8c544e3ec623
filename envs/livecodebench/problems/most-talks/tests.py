import random

PUBLIC = ["4\n1 4\n3 5\n0 6\n5 7\n", "3\n1 2\n2 3\n1 3\n"]


def fair(talks: list) -> str:
    return f"{len(talks)}\n" + "".join(f"{s} {e}\n" for s, e in talks)


def generate(rng: random.Random) -> list:
    cases = [fair([]), fair([(0, 1)]), fair([(1, 9), (2, 3), (4, 5)]), fair([(5, 6), (5, 6)])]
    cases.append(fair([(0, 5), (4, 7), (6, 11), (10, 15), (4, 6)]))
    cases.append(fair([(i, i + 1) for i in range(20, 0, -1)]))
    cases.append(fair([(0, 10), (9, 12), (11, 21)]))
    for n, end, length in [
        (6, 20, 8),
        (10, 30, 10),
        (20, 60, 12),
        (60, 200, 30),
        (150, 2000, 100),
        (300, 10**6, 40000),
    ]:
        talks = []
        for _ in range(n):
            start = rng.randint(0, end - length)
            talks.append((start, start + rng.randint(1, length)))
        cases.append(fair(talks))
    return cases
