import heapq

r, c = map(int, input().split())
grid = [input().strip() for _ in range(r)]
queue = [(0, 0, 0)]
done = set()
while queue:
    minutes, i, j = heapq.heappop(queue)
    if (i, j) == (r - 1, c - 1):
        print(minutes)
        break
    if (i, j) in done:
        continue
    done.add((i, j))
    for x, y in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
        if 0 <= x < r and 0 <= y < c:
            heapq.heappush(queue, (minutes + (3 if grid[x][y] == "#" else 1), x, y))
