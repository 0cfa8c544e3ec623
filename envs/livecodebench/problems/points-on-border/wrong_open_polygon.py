from math import gcd

n = int(input())
corners = [tuple(map(int, input().split())) for _ in range(n)]
total = 1
for i in range(1, n):
    (x, y), (u, v) = corners[i - 1], corners[i]
    total += gcd(x - u, y - v)
print(total)
