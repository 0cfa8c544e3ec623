from collections import deque

r, c = map(int, input().split())
grid = [input().strip() for _ in range(r)]
steps = {(0, 0): 0}
queue = deque(steps)
while queue:
    i, j = queue.popleft()
    for x, y in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
        if 0 <= x < r and 0 <= y < c and grid[x][y] == "." and (x, y) not in steps:
            steps[x, y] = steps[i, j] + 1
            queue.append((x, y))
print(steps.get((r - 1, c - 1), -1))
