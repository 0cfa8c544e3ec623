n = int(input())
corners = [tuple(map(int, input().split())) for _ in range(n)]
total, x, y = min((sum(abs(x - u) + abs(y - v) for u, v in corners), x, y) for x, y in corners)
print(x, y, total)
