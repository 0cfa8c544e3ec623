import random

PUBLIC = [["hello world"], ["bbaa"]]


def generate(rng: random.Random) -> list:
    cases = [[""], ["   "], ["z"], ["a b b"], ["zyx"], ["x      x y"], ["c a c a b"]]
    for _ in range(6):
        cases.append(["".join(rng.choice("abcdef   ") for _ in range(rng.randint(5, 60)))])
    cases.append(["".join(rng.choice("abcdef   ") for _ in range(60))])
    return cases
