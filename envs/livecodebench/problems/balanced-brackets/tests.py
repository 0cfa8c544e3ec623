import random

PUBLIC = [["([])[]"], ["([)]"]]


def nested(rng: random.Random, pairs: int) -> str:
    s = ""
    for _ in range(pairs):
        left, right = rng.choice(["()", "[]"])
        s = rng.choice([left + s + right, s + left + right, left + right + s])
    return s


def generate(rng: random.Random) -> list:
    cases = [[""], ["("], ["]"], [")("], ["(("], ["[" * 300 + "]" * 300], ["(()"], ["([]"]]
    for _ in range(3):
        s = nested(rng, 12)
        cases.append([s])
        i = rng.randrange(len(s))
        cases.append([s[:i] + s[i + 1 :]])
    cases += [["()" * 40], ["[()()]" * 5], ["(([]))[]"]]
    return cases
