n = int(input())
corners = [tuple(map(int, input().split())) for _ in range(n)]
answer = []
total = 0
for axis in (0, 1):
    values = [corner[axis] for corner in corners]
    best = None
    for place in range(min(values), max(values) + 1):
        way = sum(abs(value - place) for value in values)
        if best is None or way < best[0]:
            best = (way, place)
    answer.append(best[1])
    total += best[0]
print(*answer, total)
