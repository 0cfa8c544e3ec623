import random

PUBLIC = ["6\nadd hello\nadd cat\ndel 2\nshow\nundo\nshow\n", "4\nundo\nadd x\nundo\nshow\n"]


def script(commands: list) -> str:
    return f"{len(commands)}\n" + "".join(command + "\n" for command in commands)


def generate(rng: random.Random) -> list:
    cases = [
        script(["show"]),
        script(["add abc", "del 0", "show"]),
        script(["add abc", "del 10", "show", "undo", "show"]),
        script(["add a", "add b", "add c", "undo", "undo", "show", "undo", "undo", "show"]),
        script(["add ab", "del 0", "undo", "show", "undo", "show"]),
        script(["del 3", "add x", "undo", "undo", "undo", "show"]),
        script(["add abcd", "del 2", "del 1", "undo", "show", "undo", "show", "undo", "show"]),
    ]
    for q in (8, 15, 30, 60, 120, 200):
        commands = []
        for _ in range(q - 1):
            kind = rng.choice(["add", "add", "del", "undo", "undo", "show"])
            if kind == "add":
                kind += " " + "".join(rng.choice("abcdxyz") for _ in range(rng.randint(1, 5)))
            elif kind == "del":
                kind += f" {rng.choice([0, 1, 2, 3, 4, 12])}"
            commands.append(kind)
        cases.append(script([*commands, "show"]))
    return cases
