x, y = map(int, input().split())
ring = max(abs(x), abs(y))
corner = (2 * ring + 1) ** 2
if x == ring:
    print(corner - 6 * ring - (ring - y))
elif y == -ring:
    print(corner - (ring - x))
elif x == -ring:
    print(corner - 2 * ring - (y + ring))
else:
    print(corner - 4 * ring - (x + ring))
