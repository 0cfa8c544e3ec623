import heapq

r, c = map(int, input().split())
grid = [input().strip() for _ in range(r)]
queue = [(0, 0, 0, False)]
done = set()
answer = -1
while queue:
    minutes, i, j, broken = heapq.heappop(queue)
    if (i, j, broken) in done:
        continue
    done.add((i, j, broken))
    if (i, j) == (r - 1, c - 1):
        answer = minutes
        break
    for x, y in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
        if 0 <= x < r and 0 <= y < c:
            wall = grid[x][y] == "#"
            if not (wall and broken):
                heapq.heappush(queue, (minutes + (3 if wall else 1), x, y, broken or wall))
print(answer)
