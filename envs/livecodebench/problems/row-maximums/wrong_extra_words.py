r, c = map(int, input().split())
for i in range(r):
    print("Row", i + 1, "max", max(map(int, input().split())))
