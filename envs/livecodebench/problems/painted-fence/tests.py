import random

PUBLIC = ["10 3\n1 6 red\n4 8 blue\n5 5 red\n", "4 2\n1 4 white\n1 4 black\n"]


def fence(n: int, painters: list) -> str:
    return f"{n} {len(painters)}\n" + "".join(f"{left} {right} {colour}\n" for left, right, colour in painters)


def generate(rng: random.Random) -> list:
    cases = [
        fence(1, [(1, 1, "red")]),
        fence(5, [(2, 3, "teal"), (3, 4, "teal")]),
        fence(9, [(1, 9, "x"), (2, 8, "y"), (3, 7, "z"), (4, 6, "x")]),
        fence(6, [(3, 3, "b"), (6, 6, "a"), (1, 1, "c")]),
    ]
    for n, m in [(12, 4), (30, 6), (100, 12), (1000, 20), (10**15, 60)]:
        painters = []
        for _ in range(m):
            left, right = sorted([rng.randint(1, n), rng.randint(1, n)])
            painters.append((left, right, rng.choice(["red", "blue", "green", "gold"])))
        cases.append(fence(n, painters))
    return cases
