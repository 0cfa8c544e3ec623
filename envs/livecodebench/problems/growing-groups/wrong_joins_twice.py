n, q = map(int, input().split())
parent = list(range(n + 1))
size = [1] * (n + 1)


def find(a):
    while parent[a] != a:
        a = parent[a]
    return a


for _ in range(q):
    parts = input().split()
    a = find(int(parts[1]))
    if parts[0] == "S":
        print(size[a])
        continue
    b = find(int(parts[2]))
    if parts[0] == "Q":
        print("yes" if a == b else "no")
    else:
        parent[a] = b
        size[b] += size[a]
