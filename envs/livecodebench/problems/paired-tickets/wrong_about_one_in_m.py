a, b, m, r = map(int, input().split())
print(a * b // m)
