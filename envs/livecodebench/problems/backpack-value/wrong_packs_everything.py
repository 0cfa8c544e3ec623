n, w = map(int, input().split())
total = 0
for _ in range(n):
    weight, value = map(int, input().split())
    total += value
print(total)
