x, y = 0, 0
dx, dy = 0, 1
for command in input().strip():
    if command == "F":
        x += dx
        y += dy
    elif command == "L":
        dx, dy = -dy, dx
    else:
        dx, dy = dy, -dx
print(f"{x}, {y}")
