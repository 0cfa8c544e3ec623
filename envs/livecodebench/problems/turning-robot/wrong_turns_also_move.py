x, y = 0, 0
dx, dy = 0, 1
for command in input().strip():
    if command == "L":
        dx, dy = -dy, dx
    elif command == "R":
        dx, dy = dy, -dx
    x += dx
    y += dy
print(x, y)
