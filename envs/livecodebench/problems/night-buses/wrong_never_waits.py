import heapq

n, m = map(int, input().split())
lines = [[] for _ in range(n + 1)]
for _ in range(m):
    a, b, p, t = map(int, input().split())
    lines[a].append((b, t))
    lines[b].append((a, t))
arrival = {}
queue = [(0, 1)]
while queue:
    time, stop = heapq.heappop(queue)
    if stop not in arrival:
        arrival[stop] = time
        for other, t in lines[stop]:
            heapq.heappush(queue, (time + t, other))
print(arrival.get(n, -1))
