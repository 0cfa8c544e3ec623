import random

PUBLIC = [["hello"], ["abc"]]


def generate(rng: random.Random) -> list:
    cases = [[""], ["x"], ["ab"], ["level"], ["two words"], ["A1 b2"]]
    cases += [["".join(rng.choice("abcdefgXYZ 019") for _ in range(rng.randint(2, 30)))] for _ in range(5)]
    cases.append(["".join(rng.choice("abcdefgXYZ 019") for _ in range(60))])
    return cases
