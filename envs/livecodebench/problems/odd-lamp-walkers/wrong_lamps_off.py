from math import isqrt

n = int(input())
count = n
rest = n
while rest > 0:
    count -= (isqrt(rest) + 1) // 2
    rest //= 2
print(count)
