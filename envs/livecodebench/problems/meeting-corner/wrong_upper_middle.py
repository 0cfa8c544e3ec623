n = int(input())
corners = [tuple(map(int, input().split())) for _ in range(n)]
x = sorted(x for x, _ in corners)[n // 2]
y = sorted(y for _, y in corners)[n // 2]
print(x, y, sum(abs(x - u) + abs(y - v) for u, v in corners))
