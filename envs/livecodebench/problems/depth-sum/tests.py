import random

PUBLIC = ["[3,[-2,5],[],[[4]]]\n", "[10]\n"]


def nested(rng: random.Random, depth: int) -> str:
    parts = []
    for _ in range(rng.randint(1, 4)):
        parts.append(nested(rng, depth - 1) if depth > 0 and rng.random() < 0.5 else str(rng.randint(-99, 99)))
    return "[" + ",".join(parts) + "]"


def generate(rng: random.Random) -> list:
    cases = ["[]", "[[[]]]", "[0,-1]", "[[7],7]", "[[[[1]]]]", "[-1000,[1000]]", "[1,2,3,[4,5],6]"]
    for depth in (1, 2, 3, 4, 6):
        text = nested(rng, depth)
        while len(text) > 400 or len(text) < 5:
            text = nested(rng, depth)
        cases.append(text)
    cases.append("[2," * 59 + "[9]" + "]" * 59)
    return [case + "\n" for case in cases]
