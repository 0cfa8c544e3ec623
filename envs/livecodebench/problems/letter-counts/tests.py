import random

PUBLIC = [["hello"], ["aab"]]


def generate(rng: random.Random) -> list:
    cases = [[""], ["x"], ["abc"], ["Aa"], ["a a"], ["1221"]]
    cases += [["".join(rng.choice("abcde") for _ in range(size))] for size in (6, 9, 12, 20, 60)]
    return cases
