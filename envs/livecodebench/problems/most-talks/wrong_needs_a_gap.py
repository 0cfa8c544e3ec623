n = int(input())
talks = [tuple(map(int, input().split())) for _ in range(n)]
count = 0
last_end = -1
for start, end in sorted(talks, key=lambda talk: talk[1]):
    if start > last_end:
        count += 1
        last_end = end
print(count)
