n, q = map(int, input().split())
friends = [{i} for i in range(n + 1)]
for _ in range(q):
    parts = input().split()
    a = int(parts[1])
    if parts[0] == "S":
        print(len(friends[a]))
    elif parts[0] == "Q":
        print("yes" if int(parts[2]) in friends[a] else "no")
    else:
        b = int(parts[2])
        friends[a].add(b)
        friends[b].add(a)
