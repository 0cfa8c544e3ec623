import sys

sys.setrecursionlimit(10_000)
r, c = map(int, input().split())
grid = [input().strip() for _ in range(r)]
start = next((i, j) for i in range(r) for j in range(c) if grid[i][j] == "S")


def shortest(i, j, visited):
    if grid[i][j] == "G":
        return 0
    best = 10**9
    for cell in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
        if 0 <= cell[0] < r and 0 <= cell[1] < c and grid[cell[0]][cell[1]] != "#" and cell not in visited:
            best = min(best, 1 + shortest(*cell, visited | {cell}))
    return best


steps = shortest(*start, {start})
print(steps if steps < 10**9 else -1)
