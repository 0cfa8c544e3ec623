a, b, d = map(int, input().split())
print((b - a) // d + 1)
