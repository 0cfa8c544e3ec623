import random

PUBLIC = ["3 4 2 0\n", "5 2 3 1\n"]


def generate(rng: random.Random) -> list:
    cases = ["1 1 1 0\n", "1 2 1 0\n", "2 2 2 1\n", "4 4 8 0\n", "7 7 3 0\n", "6 9 4 3\n"]
    for reach in (20, 60, 150, 300):
        m = rng.randint(2, 30)
        cases.append(f"{rng.randint(5, reach)} {rng.randint(5, reach)} {m} {rng.randint(0, m - 1)}\n")
    cases.append("1000000000000 999999999999 1000 10\n")
    cases.append("123456789 10 997 5\n")
    return cases
