import random

PUBLIC = [["xxyzzy"], ["xyxy"]]


def generate(rng: random.Random) -> list:
    cases = [[""], ["z"], ["zyx"], ["xyzx"], ["xxyyzz"], ["xxxyyyzz"], ["yyyyxzy"]]
    for size in (8, 12, 15, 40, 200, 2000):
        cases.append(["".join(rng.choice("xyz") for _ in range(size))])
    return cases
