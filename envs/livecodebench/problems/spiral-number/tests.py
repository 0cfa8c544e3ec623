import random

PUBLIC = ["-1 0\n", "2 -1\n"]


def generate(rng: random.Random) -> list:
    points = [(0, 0), (1, 1), (-1, -1), (1, -1), (2, 2), (-2, 2), (-2, -2), (2, -2), (3, -2), (0, 3), (-3, 1), (1, -3)]
    points += [(rng.randint(-30, 30), rng.randint(-30, 30)) for _ in range(4)]
    points += [(10**9, -(10**9)), (-123456789, 987654321)]
    return [f"{x} {y}\n" for x, y in points]
