import random

PUBLIC = ["3\n0 0\n5 1\n1 7\n", "2\n4 4\n2 9\n"]


def friends(corners: list) -> str:
    return f"{len(corners)}\n" + "".join(f"{x} {y}\n" for x, y in corners)


def generate(rng: random.Random) -> list:
    cases = [
        friends([(3, -8)]),
        friends([(0, 0), (0, 0), (9, 9)]),
        friends([(1, 1), (2, 5), (3, 9), (50, 10)]),
        friends([(-5, 2), (5, -2)]),
        friends([(7, 0), (7, 1), (7, 2), (7, 3), (-20, 4)]),
    ]
    for n, reach in [(4, 9), (5, 12), (6, 15), (9, 20), (100, 10**15)]:
        cases.append(friends([(rng.randint(-reach, reach), rng.randint(-reach, reach)) for _ in range(n)]))
    return cases
