import heapq

n, m = map(int, input().split())
lines = [[] for _ in range(n + 1)]
for _ in range(m):
    a, b, p, t = map(int, input().split())
    lines[a].append((b, p, t))
arrival = {}
queue = [(0, 1)]
while queue:
    time, stop = heapq.heappop(queue)
    if stop not in arrival:
        arrival[stop] = time
        for other, p, t in lines[stop]:
            heapq.heappush(queue, (-(-time // p) * p + t, other))
print(arrival.get(n, -1))
