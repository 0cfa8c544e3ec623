import random

PUBLIC = [[["cat", "horse", "dog"]], [["ab", "cd"]]]


def generate(rng: random.Random) -> list:
    cases = [[["one"]], [["b", "a"]], [["aa", "zzz", "yyy"]], [["", "x"]], [["long", "er", "four"]]]
    for size in (3, 4, 5, 6, 60):
        cases.append([["".join(rng.choice("abcdxyz") for _ in range(rng.randint(1, 9))) for _ in range(size)]])
    return cases
