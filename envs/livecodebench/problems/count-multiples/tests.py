import random

PUBLIC = ["5 20 5\n", "0 10 4\n"]


def generate(rng: random.Random) -> list:
    cases = [
        "0 0 7\n",
        "1 6 7\n",
        "7 7 7\n",
        "3 9 1\n",
        "1 1000000000000000 3\n",
        "0 1000000000000000 1000000000000000\n",
    ]
    for _ in range(6):
        a = rng.randint(0, 200)
        cases.append(f"{a} {a + rng.randint(0, 300)} {rng.randint(1, 30)}\n")
    return cases
