import random

PUBLIC = ["2 3\n1 5 2\n7 0 7\n", "1 1\n4\n"]


def table(rows: list) -> str:
    lines = [f"{len(rows)} {len(rows[0])}"] + [" ".join(map(str, row)) for row in rows]
    return "\n".join(lines) + "\n"


def generate(rng: random.Random) -> list:
    cases = [table([[-5, -2, -9]]), table([[-1], [0], [1]]), table([[3, 3], [3, 3]]), table([[1, 2], [9, 10]])]
    cases.append(table([[-1000] * 20 for _ in range(20)]))
    for _ in range(5):
        cols = rng.randint(1, 8)
        cases.append(table([[rng.randint(-200, 100) for _ in range(cols)] for _ in range(rng.randint(1, 8))]))
    cases.append(table([[rng.randint(-1000, 1000) for _ in range(20)] for _ in range(20)]))
    return cases
