steps = [(0, 1), (1, 0), (0, -1), (-1, 0)]
x, y, facing = 0, 0, 0
for command in input().strip():
    if command == "F":
        x += steps[facing][0]
        y += steps[facing][1]
    elif command == "L":
        facing -= 1
    else:
        facing += 1
print(x, y)
