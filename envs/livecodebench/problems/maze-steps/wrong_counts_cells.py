r, c = map(int, input().split())
grid = [input().strip() for _ in range(r)]
queue = [(i, j, 1) for i in range(r) for j in range(c) if grid[i][j] == "S"]
seen = {(i, j) for i, j, _ in queue}
answer = -1
for i, j, length in queue:
    if grid[i][j] == "G":
        answer = length
        break
    for a, b in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
        if 0 <= a < r and 0 <= b < c and grid[a][b] != "#" and (a, b) not in seen:
            seen.add((a, b))
            queue.append((a, b, length + 1))
print(answer)
