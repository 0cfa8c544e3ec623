n = int(input())
talks = sorted((tuple(map(int, input().split())) for _ in range(n)), key=lambda talk: talk[1])
count = 1
last_end = talks[0][1]
for start, end in talks[1:]:
    if start >= last_end:
        count += 1
        last_end = end
print(count)
