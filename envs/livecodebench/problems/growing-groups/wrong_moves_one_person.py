n, q = map(int, input().split())
group = list(range(n + 1))
for _ in range(q):
    parts = input().split()
    a = int(parts[1])
    if parts[0] == "S":
        print(group.count(group[a]))
        continue
    b = int(parts[2])
    if parts[0] == "Q":
        print("yes" if group[a] == group[b] else "no")
    else:
        group[b] = group[a]
