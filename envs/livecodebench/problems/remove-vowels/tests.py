import random

PUBLIC = [["hello"], ["Apple pie"]]


def generate(rng: random.Random) -> list:
    cases = [[""], ["aeiou"], ["xyz"], ["Ohio"], ["AbEcId"], ["why not"]]
    cases += [["".join(rng.choice("abcdeioubcdfAEIOUBC ") for _ in range(size))] for size in (6, 9, 14, 20, 60)]
    return cases
