import random

PUBLIC = [["hello world"], ["a cat"]]


def generate(rng: random.Random) -> list:
    cases = [["x"], ["one"], ["to be or not"], ["a b c"], ["deep blue sea"]]
    for size in (2, 3, 5, 7, 60):
        cases.append([" ".join("".join(rng.choice("abcde") for _ in range(rng.randint(1, 6))) for _ in range(size))])
    return cases
