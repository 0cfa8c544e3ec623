from math import isqrt

n = int(input())
count = 0
while n > 0:
    count += (isqrt(n) + 1) // 2
    n //= 2
print(count)
