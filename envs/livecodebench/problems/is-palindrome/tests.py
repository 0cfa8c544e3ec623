import random

PUBLIC = [["level"], ["hello"]]


def generate(rng: random.Random) -> list:
    cases = [[""], ["a"], ["ab"], ["abba"], ["abca"], ["Abba"], ["racecar"]]
    for _ in range(4):
        half = "".join(rng.choice("abc") for _ in range(rng.randint(2, 8)))
        cases.append([half + half[::-1]])
        cases.append([half + rng.choice("xyz") + half])
    return cases[:14] + [["abcde" * 8], ["ab" * 20]]
