import random

PUBLIC = ["2\n30 2\n15 1\n", "3\n40 2\n5 10\n1 3\n"]


def generate(rng: random.Random) -> list:
    cases = ["0\n", "1\n100 1\n", "1\n99 1\n", "2\n50 1\n25 2\n", "1\n0 100\n", "1\n1000 100\n", "1\n101 1\n"]
    for _ in range(5):
        rows = [(rng.randint(0, 30), rng.randint(0, 6)) for _ in range(rng.randint(1, 8))]
        cases.append(f"{len(rows)}\n" + "".join(f"{p} {q}\n" for p, q in rows))
    cases.append("2\n1000000000 1000000000\n3 4\n")
    return cases
