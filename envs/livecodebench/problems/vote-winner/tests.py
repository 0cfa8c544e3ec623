import random

PUBLIC = ["4\nmia\ntom\nada\ntom\n", "2\ntom\nada\n"]


def poll(names: list) -> str:
    return f"{len(names)}\n" + "".join(name + "\n" for name in names)


def generate(rng: random.Random) -> list:
    cases = [
        poll(["x"]),
        poll(["b", "a", "b", "a"]),
        poll(["aa", "a", "aa", "a"]),
        poll(["z"] * 100),
        poll(["c", "b", "b"]),
    ]
    for _ in range(6):
        names = rng.sample(["ada", "ben", "bea", "cleo", "max", "tom", "zoe"], rng.randint(2, 5))
        cases.append(poll([rng.choice(names) for _ in range(rng.randint(3, 30))]))
    return cases
