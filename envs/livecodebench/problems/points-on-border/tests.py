import random

PUBLIC = ["3\n0 0\n4 0\n0 3\n", "4\n0 0\n2 2\n0 4\n-2 2\n"]


def polygon(corners: list) -> str:
    return f"{len(corners)}\n" + "".join(f"{x} {y}\n" for x, y in corners)


def generate(rng: random.Random) -> list:
    cases = [
        polygon([(0, 0), (1, 0), (0, 1)]),
        polygon([(0, 0), (6, 9), (0, 9)]),
        polygon([(-3, -3), (3, -3), (3, 3), (-3, 3)]),
        polygon([(0, 0), (12, 0), (12, 8), (4, 8), (4, 4), (0, 4)]),
        polygon([(5, 0), (0, 7), (-11, 0), (0, -3)]),
    ]
    for n, width in [(4, 6), (5, 9), (8, 15), (30, 40)]:
        xs = sorted(rng.sample(range(-width, 3 * width), n))
        roof = [(x, rng.randint(1, 2 * width)) for x in xs[1:-1]]
        cases.append(polygon([(xs[0], 0), (xs[-1], 0), *reversed(roof)]))
    far = 10**14
    cases.append(polygon([(-far, -far), (far, -far), (far, far - 6), (5, far)]))
    return cases
