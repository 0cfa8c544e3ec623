n, m = map(int, input().split())
connections = [input().split() for _ in range(m)]


def routes(town, ferries):
    if ferries > 1:
        return 0
    count = 1 if town == n else 0
    for a, b, kind in connections:
        if int(a) == town:
            count += routes(int(b), ferries + (kind == "ferry"))
    return count


print(routes(1, 0))
