n = int(input())
lamps = [tuple(map(int, input().split())) for _ in range(n)]
second = max(s for s, _ in lamps)
end = second
for _, p in lamps:
    end += p * (end - second + 1)
while second < end:
    if all((second - s) % p == 0 for s, p in lamps):
        print(second)
        break
    second += 1
else:
    print("never")
