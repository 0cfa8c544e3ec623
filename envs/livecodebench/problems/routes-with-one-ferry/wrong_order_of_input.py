n, m = map(int, input().split())
dry, wet = [0] * (n + 1), [0] * (n + 1)
dry[1] = 1
for _ in range(m):
    a, b, kind = input().split()
    a, b = int(a), int(b)
    if kind == "road":
        dry[b] += dry[a]
        wet[b] += wet[a]
    else:
        wet[b] += dry[a]
print(dry[n] + wet[n])
