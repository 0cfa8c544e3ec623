import random

PUBLIC = [["000", "012", []], ["000", "011", ["001", "111"]]]


def generate(rng: random.Random) -> list:
    around = ["111", "999", "011", "099", "001", "009"]
    cases = [
        ["555", "555", ["000"]],
        ["000", "111", []],
        ["000", "999", ["111"]],
        ["000", "110", []],
        ["000", "002", ["001"]],
        ["000", "321", around],
        ["321", "000", around[:5]],
        ["000", "500", []],
        ["000", "090", ["099"]],
    ]
    for size in (0, 20, 60, 60):
        start, goal, *forbidden = [f"{x:03d}" for x in rng.sample(range(1000), size + 2)]
        cases.append([start, goal, forbidden])
    return cases
