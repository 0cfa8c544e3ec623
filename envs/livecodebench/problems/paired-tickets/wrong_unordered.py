a, b, m, r = map(int, input().split())
count = 0
for x in range(1, min(a, 400) + 1):
    for y in range(x + 1, min(b, 400) + 1):
        count += (x + y) % m == r
print(count)
