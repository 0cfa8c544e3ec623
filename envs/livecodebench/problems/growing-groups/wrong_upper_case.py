n, q = map(int, input().split())
group = list(range(n + 1))
for _ in range(q):
    kind, *people = input().split()
    groups = [group[int(a)] for a in people]
    if kind == "S":
        print(group.count(groups[0]))
    elif kind == "Q":
        print("YES" if groups[0] == groups[1] else "NO")
    else:
        group = [groups[0] if g == groups[1] else g for g in group]
