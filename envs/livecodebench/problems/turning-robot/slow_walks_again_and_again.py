import sys

sys.setrecursionlimit(10_000)


def place(commands):
    if commands == "":
        return 0, 0, 0, 1
    x, y, dx, dy = place(commands[:-1])
    if commands[-1] == "F":
        return x + dx, y + dy, *place(commands[:-1])[2:]
    return (x, y, -dy, dx) if commands[-1] == "L" else (x, y, dy, -dx)


print(*place(input().strip())[:2])
