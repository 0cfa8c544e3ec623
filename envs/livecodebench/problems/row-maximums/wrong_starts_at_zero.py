r, c = map(int, input().split())
for _ in range(r):
    best = 0
    for x in input().split():
        if int(x) > best:
            best = int(x)
    print(best)
