import sys

sys.setrecursionlimit(10_000)
commands = [input().split() for _ in range(int(input()))]


def texts(i):
    """All texts that an undo could bring back before command i, and the text itself."""
    if i == 0:
        return [""]
    kind, *args = commands[i - 1]
    if kind == "add":
        return [*texts(i - 1), texts(i - 1)[-1] + args[0]]
    if kind == "del":
        return [*texts(i - 1), texts(i - 1)[-1][: max(0, len(texts(i - 1)[-1]) - int(args[0]))]]
    return texts(i - 1)[:-1] or texts(i - 1) if kind == "undo" else texts(i - 1)


for i in range(len(commands)):
    if commands[i][0] == "show":
        print(texts(i)[-1] or "-")
