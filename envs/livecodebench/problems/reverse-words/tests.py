import random

PUBLIC = [["the quick fox"], ["hello world"]]


def generate(rng: random.Random) -> list:
    cases = [["one"], ["a b"], ["x x y"], ["I am here now"], ["to be or not to be"]]
    for size in (3, 5, 6, 8, 60):
        cases.append([" ".join("".join(rng.choice("abcde") for _ in range(rng.randint(1, 5))) for _ in range(size))])
    return cases
