import random

PUBLIC = ["0:02:10\n", "1:09:00\n"]


def generate(rng: random.Random) -> list:
    cases = ["0:00:00\n", "0:00:01\n", "0:01:00\n", "0:07:00\n", "0:07:01\n", "0:23:59\n", "1:00:00\n", "3:00:30\n"]
    cases += [f"{rng.randint(0, 40)}:{rng.randint(0, 9):02d}:{rng.randint(0, 59):02d}\n" for _ in range(5)]
    cases.append("1000000000000:05:30\n")
    return cases
