area = 0
for _ in range(2):
    x1, y1, x2, y2 = map(int, input().split())
    area += (x2 - x1 + 1) * (y2 - y1 + 1)
print(area)
