x, y = map(int, input().split())
y = -y
ring = max(abs(x), abs(y))
corner = (2 * ring + 1) ** 2
if y == -ring:
    print(corner - (ring - x))
elif x == -ring:
    print(corner - 2 * ring - (y + ring))
elif y == ring:
    print(corner - 4 * ring - (x + ring))
else:
    print(corner - 6 * ring - (ring - y))
