carpets = [tuple(map(int, input().split())) for _ in range(2)]
area = 0
for x in range(max(carpet[2] for carpet in carpets)):
    for y in range(max(carpet[3] for carpet in carpets)):
        covered = [x1 <= x < x2 and y1 <= y < y2 for x1, y1, x2, y2 in carpets]
        area += sum(covered) == 1
print(area)
