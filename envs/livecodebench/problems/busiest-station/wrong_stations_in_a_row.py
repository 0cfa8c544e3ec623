n = int(input())
groups = [tuple(map(int, input().split())) for _ in range(n)]
best = first = 0
for station in sorted(a for a, _, _ in groups):
    on_board = sum(size for a, b, size in groups if a <= station < b)
    if on_board > best:
        best, first = on_board, station
print(best, first, min(b for a, b, _ in groups if a <= first < b) - first)
