import random

PUBLIC = ["FFRF\n", "LFLF\n"]


def generate(rng: random.Random) -> list:
    cases = ["F\n", "R\n", "RRF\n", "LLLF\n", "FRFRFRFR\n", "RFFLFFLFFFF\n", "F" * 1000 + "\n"]
    for _ in range(5):
        cases.append("".join(rng.choice("FFLR") for _ in range(rng.randint(10, 200))) + "\n")
    return cases
