r, c = map(int, input().split())
rows = [list(map(int, input().split())) for _ in range(r)]
for j in range(c):
    print(max(row[j] for row in rows))
