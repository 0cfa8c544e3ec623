n, w = map(int, input().split())
best = [0] * (w + 1)
for _ in range(n):
    weight, value = map(int, input().split())
    for total in range(w, weight - 1, -1):
        best[total] = max(best[total], best[total - weight] + value)
print(best[max(0, w - 1)])
