import random

PUBLIC = [["hello"], ["Good day"]]


def generate(rng: random.Random) -> list:
    cases = [[""], ["a"], ["ABC"], ["mIxEd"], ["abc 123"], ["don't stop"]]
    cases += [["".join(rng.choice("abcXYZ 19-") for _ in range(rng.randint(3, 25)))] for _ in range(5)]
    cases.append(["".join(rng.choice("abcXYZ 19-") for _ in range(60))])
    return cases
