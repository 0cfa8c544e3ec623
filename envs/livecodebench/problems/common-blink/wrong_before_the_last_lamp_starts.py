from math import lcm

n = int(input())
lamps = [tuple(map(int, input().split())) for _ in range(n)]
for second in range(min(lcm(*(p for _, p in lamps)), 10**5)):
    if all((second - s) % p == 0 for s, p in lamps):
        print(second)
        break
else:
    print("never")
