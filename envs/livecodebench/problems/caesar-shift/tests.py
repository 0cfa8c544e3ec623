import random

PUBLIC = [["Hello, xyz!", 3], ["abc", -1]]


def generate(rng: random.Random) -> list:
    cases = [["", 5], ["XYZ", 3], ["same", 26], ["same", 0], ["Zz Aa", -27], ["1 + 2 = 3", 4], ["wrap", 1000]]
    for _ in range(6):
        text = "".join(rng.choice("abcmnoxyzABCMNOXYZ ,.!09") for _ in range(rng.randint(5, 40)))
        cases.append([text, rng.randint(-60, 60)])
    cases.append(["Far away", 10**14 + 5])
    return cases
