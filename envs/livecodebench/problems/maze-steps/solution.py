from collections import deque

r, c = map(int, input().split())
grid = [input().strip() for _ in range(r)]
start = next((i, j) for i in range(r) for j in range(c) if grid[i][j] == "S")
steps = {start: 0}
queue = deque([start])
answer = -1
while queue:
    i, j = queue.popleft()
    if grid[i][j] == "G":
        answer = steps[i, j]
        break
    for cell in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
        if 0 <= cell[0] < r and 0 <= cell[1] < c and grid[cell[0]][cell[1]] != "#" and cell not in steps:
            steps[cell] = steps[i, j] + 1
            queue.append(cell)
print(answer)
