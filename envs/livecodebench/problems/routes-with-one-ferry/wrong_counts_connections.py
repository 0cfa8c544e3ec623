n, m = map(int, input().split())
print(m + 1)
