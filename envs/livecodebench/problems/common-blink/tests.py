import random

PUBLIC = ["2\n1 3\n2 5\n", "2\n0 4\n1 6\n"]


def lamps(pairs: list) -> str:
    return f"{len(pairs)}\n" + "".join(f"{s} {p}\n" for s, p in pairs)


def generate(rng: random.Random) -> list:
    cases = [
        lamps([(7, 9)]),
        lamps([(0, 1), (50, 7)]),
        lamps([(100, 3), (2, 5)]),
        lamps([(5, 10), (15, 4)]),
        lamps([(1, 6), (3, 8), (5, 4)]),
        lamps([(3, 6), (9, 4), (1, 10)]),
        lamps([(2, 4), (4, 6), (0, 1), (10, 8)]),
    ]
    for n, most in [(2, 12), (3, 9), (3, 15)]:
        common = rng.randint(20, 90)
        cases.append(lamps([(common % p, p) for p in (rng.randint(2, most) for _ in range(n))]))
    primes = [997, 991, 983, 977, 971, 967]
    cases.append(lamps([(rng.randint(0, 10**6), p) for p in primes]))
    cases.append(lamps([(i, 2 * p) for i, p in enumerate(primes)]))
    return cases
