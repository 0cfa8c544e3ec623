import random

PUBLIC = ["3 4\n.#..\n.##.\n....\n", "1 4\n.##.\n"]


def maze(rng: random.Random, r: int, c: int, share: float) -> str:
    cells = ["#" if rng.random() < share else "." for _ in range(r * c)]
    cells[0] = cells[-1] = "."
    return f"{r} {c}\n" + "".join("".join(cells[i * c : (i + 1) * c]) + "\n" for i in range(r))


def generate(rng: random.Random) -> list:
    cases = ["1 2\n..\n", "1 3\n.#.\n", "3 3\n.#.\n##.\n...\n", "2 2\n.#\n#.\n", "5 2\n..\n##\n..\n##\n..\n"]
    cases.append("5 6\n..#...\n.###.#\n.###..\n.####.\n......\n")
    for r, c, share in [(3, 4, 0.4), (4, 4, 0.45), (4, 5, 0.5), (8, 8, 0.4), (15, 10, 0.4), (25, 25, 0.35)]:
        cases.append(maze(rng, r, c, share))
    return cases
