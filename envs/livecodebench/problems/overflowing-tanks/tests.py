import random

PUBLIC = [
    "3 5\n5 2 4\npour 1 8\nshow 2\nshow 3\npour 3 7\nlost\n",
    "1 4\n10\npour 1 4\ndrain 1\nshow 1\nlost\n",
]


def script(capacities: list, commands: list) -> str:
    head = f"{len(capacities)} {len(commands)}\n" + " ".join(map(str, capacities)) + "\n"
    return head + "".join(command + "\n" for command in commands)


def generate(rng: random.Random) -> list:
    cases = [
        script([7], ["show 1"]),
        script([7, 7], ["pour 2 7", "show 2", "lost", "pour 2 1", "lost"]),
        script([1, 1, 1], ["pour 1 5", "lost", "drain 2", "pour 1 1", "show 2", "lost"]),
        script([4, 6], ["pour 1 3", "pour 1 3", "show 1", "show 2", "drain 1", "pour 1 2", "show 1"]),
    ]
    sizes = [(3, 10, 9), (4, 15, 20), (6, 30, 30), (10, 60, 50), (20, 100, 1000), (40, 100, 10**15)]
    for n, q, most in sizes:
        commands = []
        for _ in range(q - 1):
            kind = rng.choice(["pour", "pour", "pour", "drain", "show", "show", "lost"])
            place = "" if kind == "lost" else f" {rng.randint(1, n)}"
            commands.append(kind + place + (f" {rng.randint(1, 2 * most)}" if kind == "pour" else ""))
        commands = [command.replace("lost ", "lost") for command in commands]
        cases.append(script([rng.randint(1, most) for _ in range(n)], [*commands, "show 1"]))
    return cases
