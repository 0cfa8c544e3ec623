import random

PUBLIC = ["3 5\n3 4\n2 3\n4 6\n", "2 6\n2 5\n7 100\n"]


def generate(rng: random.Random) -> list:
    cases = ["1 0\n1 10\n", "1 10\n3 4\n", "2 10\n5 8\n5 8\n", "3 50\n10 60\n20 100\n30 120\n", "3 6\n4 9\n3 6\n3 6\n"]
    cases.append("2 3\n4 5\n9 9\n")
    for n, weight, w in [(5, 10, 20), (8, 12, 30), (10, 40, 90), (20, 50, 200), (35, 150, 900), (50, 200, 2000)]:
        items = [(rng.randint(1, weight), rng.randint(0, 5 * weight)) for _ in range(n)]
        cases.append(f"{n} {w}\n" + "".join(f"{a} {b}\n" for a, b in items))
    return cases
