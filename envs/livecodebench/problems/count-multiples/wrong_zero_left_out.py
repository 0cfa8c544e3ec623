a, b, d = map(int, input().split())
a = max(a, 1)
print(b // d - (a - 1) // d)
