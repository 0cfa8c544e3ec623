import random

PUBLIC = ["3\n", "10\n"]


def generate(rng: random.Random) -> list:
    numbers = [1, 2, 8, 9, 50, 99, 100, 4096]
    numbers += [rng.randint(150, 900) for _ in range(3)] + [rng.randint(10**11, 10**12), 10**15]
    return [f"{n}\n" for n in numbers]
