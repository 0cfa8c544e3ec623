import random

PUBLIC = [[["home", "music", "up", "photos"]], [["a", "b", "top", "back"]]]


def generate(rng: random.Random) -> list:
    cases = [[[]], [["up"]], [["back"]], [["x", "up", "up", "y"]], [["a", "b", "c", "up", "back", "back"]]]
    cases += [[["a", "back", "back", "b"]], [["up", "a", "top", "top", "back"]], [["a", "b", "back", "c", "back"]]]
    for size in (6, 9, 12, 16):
        cases.append([[rng.choice(["a", "bc", "def", "up", "back", "top", "gh", "i"]) for _ in range(size)]])
    cases.append([[rng.choice(["a", "bc", "def", "up", "back", "gh", "i"]) for _ in range(60)]])
    return cases
