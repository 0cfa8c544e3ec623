import random

PUBLIC = [["cat"], ["dog"]]


def generate(rng: random.Random) -> list:
    cases = [[""], ["x"], [" lead"], ["Zebra"], ["42"], ["aab"]]
    cases += [["".join(rng.choice("abcdefXYZ123") for _ in range(rng.randint(1, 15)))] for _ in range(5)]
    cases.append(["".join(rng.choice("abcdefXYZ123") for _ in range(60))])
    return cases
