r, c = map(int, input().split())
print(r + c - 1)
