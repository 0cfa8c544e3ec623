n = int(input())
talks = [tuple(map(int, input().split())) for _ in range(n)]
chosen = []
for start, end in sorted(talks, key=lambda talk: talk[1] - talk[0]):
    if all(end <= s or start >= e for s, e in chosen):
        chosen.append((start, end))
print(len(chosen))
