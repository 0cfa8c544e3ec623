a, b, m, r = map(int, input().split())
count = 0
for rest in range(m):
    red = a // m + (0 < rest <= a % m)
    other = (r - rest) % m
    count += red * (b // m + (0 < other <= b % m))
print(count)
