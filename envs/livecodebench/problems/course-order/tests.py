import random

PUBLIC = [
    [["math", "art", "physics"], [["math", "art"]]],
    [["a", "b"], [["a", "b"], ["b", "a"]]],
]


def generate(rng: random.Random) -> list:
    cases = [
        [[], []],
        [["solo"], []],
        [["solo"], [["solo", "solo"]]],
        [["c", "b", "a"], []],
        [["a", "b", "c", "d"], [["d", "a"], ["b", "c"]]],
        [["a", "b", "c"], [["b", "c"], ["b", "c"]]],
        [["x", "y", "z", "w"], [["x", "y"], ["y", "z"], ["z", "y"]]],
        [["p", "q", "r", "s"], [["q", "p"], ["r", "p"], ["s", "q"]]],
    ]
    for n, m, cyclic in [
        (5, 5, False),
        (8, 8, False),
        (12, 12, False),
        (10, 12, True),
        (20, 30, False),
        (40, 100, False),
    ]:
        names = rng.sample([x + y for x in "abcdefgh" for y in "aeiou"], n)
        rules = []
        for _ in range(m):
            i, j = sorted(rng.sample(range(n), 2))
            rules.append([names[i], names[j]])
        if cyclic:
            rules.append(rng.choice(rules)[::-1])
        rng.shuffle(rules)
        cases.append([rng.sample(names, n), rules])
    return cases
