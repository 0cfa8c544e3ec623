a, b, d = map(int, input().split())
print(b // d + 1)
