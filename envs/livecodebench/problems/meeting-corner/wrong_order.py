n = int(input())
corners = [tuple(map(int, input().split())) for _ in range(n)]
x = sorted(x for x, _ in corners)[(n - 1) // 2]
y = sorted(y for _, y in corners)[(n - 1) // 2]
print(sum(abs(x - u) + abs(y - v) for u, v in corners), x, y)
