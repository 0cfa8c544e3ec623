n, q = map(int, input().split())
friends = {a: [] for a in range(1, n + 1)}


def ends(path):
    found = {path[-1]}
    for b in friends[path[-1]]:
        if b not in path:
            found |= ends([*path, b])
    return found


for _ in range(q):
    kind, *people = input().split()
    people = [int(a) for a in people]
    if kind == "J":
        friends[people[0]].append(people[1])
        friends[people[1]].append(people[0])
    elif kind == "S":
        print(len(ends(people)))
    else:
        print("yes" if people[1] in ends(people[:1]) else "no")
