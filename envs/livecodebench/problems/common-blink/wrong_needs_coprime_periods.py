n = int(input())
lamps = [tuple(map(int, input().split())) for _ in range(n)]
second, period = lamps[0]
for s, p in lamps[1:]:
    tries = 0
    while (second < s or (second - s) % p) and tries < 2000:
        second += period
        tries += 1
    period *= p
print(second)
