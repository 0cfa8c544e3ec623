r, c = map(int, input().split())
grid = [input().strip() for _ in range(r)]
start = next((i, j) for i in range(r) for j in range(c) if grid[i][j] == "S")
stack = [(start, 0)]
seen = {start}
answer = -1
while stack:
    (i, j), steps = stack.pop()
    if grid[i][j] == "G":
        answer = steps
        break
    for a, b in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
        if 0 <= a < r and 0 <= b < c and grid[a][b] != "#" and (a, b) not in seen:
            seen.add((a, b))
            stack.append(((a, b), steps + 1))
print(answer)
