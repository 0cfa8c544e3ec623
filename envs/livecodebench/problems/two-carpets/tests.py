import random

PUBLIC = ["0 0 3 2\n2 1 4 4\n", "0 0 1 1\n5 5 6 7\n"]


def generate(rng: random.Random) -> list:
    cases = [
        "0 0 2 2\n0 0 2 2\n",
        "0 0 5 5\n1 1 2 2\n",
        "1 1 3 3\n3 1 4 3\n",
        "0 2 9 3\n4 0 5 8\n",
        "0 0 4 4\n2 5 3 9\n",
    ]
    for reach in (6, 9, 12, 20):
        lines = []
        for _ in range(2):
            (x1, x2), (y1, y2) = (sorted(rng.sample(range(reach + 1), 2)) for _ in range(2))
            lines.append(f"{x1} {y1} {x2} {y2}\n")
        cases.append("".join(lines))
    cases.append("0 0 1000000000 999999999\n5 5 999999990 1000000000\n")
    return cases
