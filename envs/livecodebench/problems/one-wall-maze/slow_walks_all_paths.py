import sys

sys.setrecursionlimit(10_000)
r, c = map(int, input().split())
grid = [input().strip() for _ in range(r)]


def fastest(i, j, broken, visited):
    if (i, j) == (r - 1, c - 1):
        return 0
    best = 10**9
    for cell in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
        if 0 <= cell[0] < r and 0 <= cell[1] < c and cell not in visited:
            wall = grid[cell[0]][cell[1]] == "#"
            if not (wall and broken):
                best = min(best, (3 if wall else 1) + fastest(*cell, broken or wall, visited | {cell}))
    return best


minutes = fastest(0, 0, False, {(0, 0)})
print(minutes if minutes < 10**9 else -1)
