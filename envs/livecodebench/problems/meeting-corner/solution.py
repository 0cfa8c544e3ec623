n = int(input())
corners = [tuple(map(int, input().split())) for _ in range(n)]
answer = []
total = 0
for values in zip(*corners, strict=True):
    middle = sorted(values)[(n - 1) // 2]
    answer.append(middle)
    total += sum(abs(value - middle) for value in values)
print(*answer, total)
