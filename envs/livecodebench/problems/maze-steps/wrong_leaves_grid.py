r, c = map(int, input().split())
grid = [input().strip() for _ in range(r)]
queue = [(i, j, 0) for i in range(r) for j in range(c) if grid[i][j] == "S"]
seen = {(i, j) for i, j, _ in queue}
answer = -1
for i, j, steps in queue:
    if grid[i][j] == "G":
        answer = steps
        break
    for a, b in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
        if grid[a][b] != "#" and (a, b) not in seen:
            seen.add((a, b))
            queue.append((a, b, steps + 1))
print(answer)
