n = int(input())
groups = [tuple(map(int, input().split())) for _ in range(n)]
best = first = count = 0
for station in range(1, max(b for _, b, _ in groups)):
    on_board = sum(size for a, b, size in groups if a <= station < b)
    if on_board > best:
        best, first, count = on_board, station, 0
    if on_board == best:
        count += 1
print(best, first, count)
