import heapq

n, k = map(int, input().split())
free = [(0, counter) for counter in range(1, k + 1)]
counters = []
end = 0
for need in map(int, input().split()):
    time, counter = heapq.heappop(free)
    counters.append(counter)
    end = max(end, time + need)
    heapq.heappush(free, (time + need, counter))
print(*counters)
print(end)
