import random

PUBLIC = [[["hello", "world"]], [["a", "b", "c"]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [["one"]], [["x", "x"]], [["I", "am", "here"]], [["A-B", "c,d"]]]
    for _ in range(5):
        words = ["".join(rng.choice("abcdef") for _ in range(rng.randint(1, 6))) for _ in range(rng.randint(2, 8))]
        cases.append([words])
    cases.append([["".join(rng.choice("abcdef") for _ in range(3)) for _ in range(50)]])
    return cases
