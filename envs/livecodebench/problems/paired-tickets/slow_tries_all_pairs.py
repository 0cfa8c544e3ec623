a, b, m, r = map(int, input().split())
count = 0
for x in range(1, a + 1):
    for y in range(1, b + 1):
        if x != y and (x + y) % m == r:
            count += 1
print(count)
