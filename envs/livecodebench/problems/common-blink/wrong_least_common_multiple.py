from math import lcm

n = int(input())
lamps = [tuple(map(int, input().split())) for _ in range(n)]
print(max(s for s, _ in lamps) + lcm(*(p for _, p in lamps)))
