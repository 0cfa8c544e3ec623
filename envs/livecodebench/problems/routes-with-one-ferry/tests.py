import random

PUBLIC = ["4 5\n1 2 road\n2 4 ferry\n1 3 ferry\n3 4 ferry\n1 4 road\n", "3 3\n1 2 road\n1 2 road\n2 3 road\n"]


def towns(n: int, connections: list) -> str:
    return f"{n} {len(connections)}\n" + "".join(f"{a} {b} {kind}\n" for a, b, kind in connections)


def generate(rng: random.Random) -> list:
    cases = [
        towns(2, []),
        towns(2, [(1, 2, "ferry"), (1, 2, "ferry"), (1, 2, "road")]),
        towns(3, [(1, 2, "ferry"), (2, 3, "ferry")]),
        towns(4, [(2, 3, "road"), (2, 4, "road"), (1, 4, "ferry"), (1, 3, "road"), (3, 4, "ferry")]),
    ]
    for n, m, reach, share in [(5, 9, 5, 0.4), (6, 14, 4, 0.3), (8, 20, 3, 0.3), (10, 30, 3, 0.3)]:
        pairs = [(a, min(n, a + rng.randint(1, reach))) for a in rng.choices(range(1, n), k=m)]
        cases.append(towns(n, [(a, b, "ferry" if rng.random() < share else "road") for a, b in pairs]))
    for share in (0.2, 0.5):
        pairs = [(a, min(80, a + step)) for a in range(1, 80) for step in (1, 2, 3, 3, 4)]
        cases.append(towns(80, [(a, b, "ferry" if rng.random() < share else "road") for a, b in pairs]))
    return cases
