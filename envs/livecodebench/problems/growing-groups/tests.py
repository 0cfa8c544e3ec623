import random

PUBLIC = ["4 5\nJ 1 2\nS 2\nQ 1 3\nJ 2 3\nQ 1 3\n", "2 3\nJ 1 2\nJ 2 1\nS 1\n"]


def generate(rng: random.Random) -> list:
    cases = ["1 1\nS 1\n", "1 3\nJ 1 1\nS 1\nQ 1 1\n", "3 2\nQ 1 2\nQ 3 3\n"]
    cases.append("6 7\nJ 1 2\nJ 3 4\nJ 5 6\nJ 2 4\nJ 6 1\nS 3\nQ 5 3\n")
    cases.append("5 6\nJ 1 2\nJ 2 3\nJ 3 4\nJ 4 5\nS 5\nS 1\n")
    cases.append("4 5\nJ 4 3\nJ 3 2\nJ 4 2\nS 2\nQ 1 4\n")
    for n, q in [(5, 12), (8, 25), (15, 40), (30, 80), (100, 200), (200, 500)]:
        lines = [f"{n} {q}"]
        for _ in range(q - 1):
            kind = rng.choice("JJSQ")
            a, b = rng.randint(1, n), rng.randint(1, n)
            lines.append(f"S {a}" if kind == "S" else f"{kind} {a} {b}")
        lines.append(f"S {rng.randint(1, n)}")
        cases.append("\n".join(lines) + "\n")
    return cases
