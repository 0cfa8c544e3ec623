n, m = map(int, input().split())
connections = sorted((int(a), int(b)) for a, b, _ in (input().split() for _ in range(m)))
routes = [0] * (n + 1)
routes[1] = 1
for a, b in connections:
    routes[b] += routes[a]
print(routes[n])
