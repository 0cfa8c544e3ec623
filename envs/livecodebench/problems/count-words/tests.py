import random

PUBLIC = [["the quick fox"], ["hello"]]


def generate(rng: random.Random) -> list:
    cases = [[""], ["   "], ["a  b"], [" lead"], ["trail "], ["one two three four"]]
    for _ in range(5):
        words = ["".join(rng.choice("abcde") for _ in range(rng.randint(1, 5))) for _ in range(rng.randint(2, 9))]
        cases.append([(" " * rng.randint(1, 3)).join(words)])
    cases.append([" ".join(rng.choice(["a", "bc", "def"]) for _ in range(60))])
    return cases
