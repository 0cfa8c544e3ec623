n, m = map(int, input().split())
leaving = [[] for _ in range(n + 1)]
for _ in range(m):
    a, b, kind = input().split()
    leaving[int(a)].append((int(b), kind))
dry, wet = [0] * (n + 1), [0] * (n + 1)
dry[1] = 1
for a in range(1, n):
    for b, kind in leaving[a]:
        if kind == "road":
            dry[b] += dry[a]
            wet[b] += wet[a]
        else:
            wet[b] += dry[a]
print(dry[n] + wet[n])
