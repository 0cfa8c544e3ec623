n, w = map(int, input().split())
items = []
for _ in range(n):
    weight, value = map(int, input().split())
    items.append((value / weight, weight, value))
total = 0
for _, weight, value in sorted(items, reverse=True):
    if weight <= w:
        w -= weight
        total += value
print(total)
