goal = tuple(map(int, input().split()))
x = y = 0
number = 1
side = 1
while (x, y) != goal:
    for dx, dy, steps in ((1, 0, side), (0, 1, side), (-1, 0, side + 1), (0, -1, side + 1)):
        for _ in range(steps):
            if (x, y) == goal:
                break
            x += dx
            y += dy
            number += 1
    side += 2
print(number)
