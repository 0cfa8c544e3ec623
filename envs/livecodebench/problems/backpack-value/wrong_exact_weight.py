n, w = map(int, input().split())
best = [0] + [-1] * w
for _ in range(n):
    weight, value = map(int, input().split())
    for total in range(w, weight - 1, -1):
        if best[total - weight] >= 0:
            best[total] = max(best[total], best[total - weight] + value)
print(best[w])
