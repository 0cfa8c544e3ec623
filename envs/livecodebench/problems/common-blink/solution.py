from math import gcd

n = int(input())
lamps = [tuple(map(int, input().split())) for _ in range(n)]
second, period = lamps[0]
possible = True
for s, p in lamps[1:]:
    common = gcd(period, p)
    if (s - second) % common:
        possible = False
        break
    second += (s - second) // common * pow(period // common, -1, p // common) % (p // common) * period
    period = period // common * p
latest = max(s for s, _ in lamps)
if second < latest:
    second += -(-(latest - second) // period) * period
else:
    second = latest + (second - latest) % period
print(second if possible else "never")
