n = int(input())
changes = {}
for _ in range(n):
    a, b, size = map(int, input().split())
    changes[a] = changes.get(a, 0) + 1
    changes[b] = changes.get(b, 0) - 1
stations = sorted(changes)
on_board = best = first = count = 0
for i in range(len(stations) - 1):
    on_board += changes[stations[i]]
    if on_board > best:
        best, first, count = on_board, stations[i], 0
    if on_board == best:
        count += stations[i + 1] - stations[i]
print(best, first, count)
