import random

PUBLIC = ["3 4\nS.#G\n..#.\n....\n", "1 3\nS#G\n"]


def maze(rng: random.Random, r: int, c: int, share: float) -> str:
    cells = ["#" if rng.random() < share else "." for _ in range(r * c)]
    start, goal = rng.sample(range(r * c), 2)
    cells[start], cells[goal] = "S", "G"
    rows = ["".join(cells[i * c : (i + 1) * c]) for i in range(r)]
    return f"{r} {c}\n" + "\n".join(rows) + "\n"


def generate(rng: random.Random) -> list:
    cases = ["1 2\nSG\n", "2 1\nG\nS\n", "3 3\nG..\n...\n..S\n", "3 3\nS#.\n##.\n..G\n", "3 5\nS.#..\n#.#.#\nG....\n"]
    cases.append("5 5\nS....\n####.\n.....\n.####\n....G\n")
    for r, c, share in [(4, 6, 0.2), (6, 6, 0.3), (8, 8, 0.3), (10, 15, 0.35), (15, 15, 0.45), (30, 30, 0.3)]:
        cases.append(maze(rng, r, c, share))
    return cases
