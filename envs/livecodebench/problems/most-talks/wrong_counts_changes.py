n = int(input())
talks = [tuple(map(int, input().split())) for _ in range(n)]
count = -1
free_from = 0
for start, end in sorted(talks, key=lambda talk: talk[1]):
    if start >= free_from:
        count += 1
        free_from = end
print(count)
