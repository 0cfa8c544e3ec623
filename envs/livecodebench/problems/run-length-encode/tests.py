import random

PUBLIC = [["aaabcc"], ["zz"]]


def generate(rng: random.Random) -> list:
    cases = [[""], ["q"], ["abc"], ["aabbaa"], ["x" * 120], ["a" * 9 + "b" * 10]]
    for _ in range(6):
        cases.append(["".join(rng.choice("abcd") * rng.randint(1, 12) for _ in range(rng.randint(1, 10)))])
    return cases
