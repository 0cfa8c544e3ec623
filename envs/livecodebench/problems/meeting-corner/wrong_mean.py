n = int(input())
corners = [tuple(map(int, input().split())) for _ in range(n)]
x = sum(x for x, _ in corners) // n
y = sum(y for _, y in corners) // n
print(x, y, sum(abs(x - u) + abs(y - v) for u, v in corners))
