from collections import deque

r, c = map(int, input().split())
grid = [input().strip() for _ in range(r)]
steps = {(0, 0, 0): 0}
queue = deque(steps)
while queue:
    i, j, broken = queue.popleft()
    for x, y in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
        if 0 <= x < r and 0 <= y < c:
            after = broken + (grid[x][y] == "#")
            if after <= 1 and (x, y, after) not in steps:
                steps[x, y, after] = steps[i, j, broken] + 1
                queue.append((x, y, after))
print(min(steps.get((r - 1, c - 1, broken), 10**9) for broken in (0, 1)))
