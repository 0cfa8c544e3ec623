import random

PUBLIC = [["banana"], ["Apple"]]


def generate(rng: random.Random) -> list:
    cases = [[""], ["rhythm"], ["aeiou"], ["AEIOU"], ["Yes, you can!"], ["UPPER lower"]]
    cases += [["".join(rng.choice("abcdeiouxyzAEIOUBC ") for _ in range(rng.randint(5, 40)))] for _ in range(5)]
    cases.append(["".join(rng.choice("abcdeiouxyzAEIOUBC ") for _ in range(60))])
    return cases
