n = int(input())
corners = [tuple(map(int, input().split())) for _ in range(n)]
total = 0
for i in range(n):
    (x, y), (u, v) = corners[i - 1], corners[i]
    if x == u:
        total += abs(y - v)
    else:
        step = 1 if u > x else -1
        for place in range(x, u, step):
            if (place - x) * (v - y) % (u - x) == 0:
                total += 1
print(total)
