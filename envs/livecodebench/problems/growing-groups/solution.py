n, q = map(int, input().split())
parent = list(range(n + 1))
size = [1] * (n + 1)


def find(a):
    while parent[a] != a:
        parent[a] = parent[parent[a]]
        a = parent[a]
    return a


for _ in range(q):
    kind, *people = input().split()
    roots = [find(int(a)) for a in people]
    if kind == "S":
        print(size[roots[0]])
    elif kind == "Q":
        print("yes" if roots[0] == roots[1] else "no")
    elif roots[0] != roots[1]:
        small, large = sorted(roots, key=lambda root: size[root])
        parent[small] = large
        size[large] += size[small]
