import random

PUBLIC = ["3 3\n1 2 5 7\n2 3 10 4\n1 3 1 30\n", "3 1\n1 2 5 7\n"]


def network(n: int, lines: list) -> str:
    return f"{n} {len(lines)}\n" + "".join(" ".join(map(str, line)) + "\n" for line in lines)


def generate(rng: random.Random) -> list:
    cases = [
        network(1, []),
        network(2, []),
        network(2, [(2, 1, 60, 3)]),
        network(3, [(1, 2, 7, 1), (2, 3, 7, 1)]),
        network(4, [(1, 2, 1, 9), (2, 4, 10, 1), (1, 3, 1, 11), (3, 4, 2, 1)]),
        network(4, [(1, 2, 4, 4), (2, 3, 3, 3), (3, 4, 5, 5), (1, 4, 100, 17), (2, 3, 9, 1)]),
    ]
    for n, m, most in [(4, 6, 9), (5, 8, 20), (6, 9, 60), (20, 60, 90), (60, 300, 10**9)]:
        lines = [(*rng.sample(range(1, n + 1), 2), rng.randint(1, most), rng.randint(1, most)) for _ in range(m)]
        cases.append(network(n, lines))
    return cases
