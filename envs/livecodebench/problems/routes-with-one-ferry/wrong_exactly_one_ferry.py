n, m = map(int, input().split())
connections = sorted((int(a), int(b), kind) for a, b, kind in (input().split() for _ in range(m)))
dry, wet = [0] * (n + 1), [0] * (n + 1)
dry[1] = 1
for a, b, kind in connections:
    if kind == "road":
        dry[b] += dry[a]
        wet[b] += wet[a]
    else:
        wet[b] += dry[a]
print(wet[n])
