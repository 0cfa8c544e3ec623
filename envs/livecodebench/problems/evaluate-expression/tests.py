import random

PUBLIC = [["2 + 3 * 4"], ["10 - (2 - 7) * 2"]]


def build(rng: random.Random, depth: int) -> str:
    if depth == 0 or rng.random() < 0.1:
        return str(rng.choice([rng.randint(0, 9), rng.randint(10, 120)]))
    space = rng.choice(["", " "])
    op = rng.choice("+--*")
    text = f"{build(rng, depth - 1)}{space}{op}{space}{build(rng, depth - 1)}"
    return f"({text})" if rng.random() < 0.4 else text


def generate(rng: random.Random) -> list:
    cases = [["0"], ["  42 "], ["10-4-3"], ["2*3-4*5"], ["((7))"], ["(1+2)*(3+4)"], ["100*100*100-1"], ["8-(3-(2-1))"]]
    for depth in (2, 3, 3, 4, 5, 6):
        text = build(rng, depth)
        while len(text) > 500:
            text = build(rng, depth)
        cases.append([text])
    cases.append(["+".join(str(i % 7) for i in range(200))])
    return cases
