import random

PUBLIC = ["Y\n3\n", "AB\n-28\n"]


def generate(rng: random.Random) -> list:
    cases = ["A\n0\n", "A\n-1\n", "Z\n1\n", "AA\n-1\n", "ZZ\n1\n", "AAA\n-1\n", "AZ\n26\n", "C\n-5\n", "XFD\n0\n"]
    for size in (1, 2, 2, 3):
        name = "".join(rng.choice("ABCXYZ") for _ in range(size))
        cases.append(f"{name}\n{rng.randint(-30, 900)}\n")
    cases += ["ZZZZZZZZZZ\n-100000000000000\n", "QA\n99999999999999\n"]
    return cases
