x, y = map(int, input().split())
ring = max(abs(x), abs(y))
print((2 * ring + 1) ** 2 - 1)
