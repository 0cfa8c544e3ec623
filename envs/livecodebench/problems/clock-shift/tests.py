import random

PUBLIC = ["13:50\n25\n", "23:30\n45\n"]


def generate(rng: random.Random) -> list:
    cases = [
        "00:00\n0\n",
        "00:00\n-1\n",
        "23:59\n1\n",
        "08:05\n1440\n",
        "12:00\n-100000\n",
        "09:09\n100000\n",
        "10:30\n30\n",
    ]
    for _ in range(5):
        cases.append(f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}\n{rng.randint(-5000, 5000)}\n")
    cases += ["20:15\n1000000000000000\n", "00:00\n-999999999999999\n"]
    return cases
