import random

PUBLIC = ["5 2\n4 3 2 5 1\n", "2 3\n7 7\n"]


def generate(rng: random.Random) -> list:
    cases = ["1 1\n9\n", "3 1\n2 4 6\n", "4 2\n5 5 5 1\n", "3 3\n8 1 4\n", "6 3\n3 2 1 3 2 1\n", "5 4\n9 9 9 9 9\n"]
    for n, k, most in [(8, 2, 9), (12, 3, 9), (20, 4, 30), (40, 7, 100), (200, 50, 10**14)]:
        cases.append(f"{n} {k}\n" + " ".join(str(rng.randint(1, most)) for _ in range(n)) + "\n")
    return cases
