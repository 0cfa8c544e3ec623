n, m = map(int, input().split())
lines = [tuple(map(int, input().split())) for _ in range(m)]


def earliest(stop, time, visited):
    if stop == n:
        return time
    best = 10**18
    for a, b, p, t in lines:
        if stop in (a, b):
            other = a + b - stop
            if other not in visited:
                best = min(best, earliest(other, -(-time // p) * p + t, visited | {other}))
    return best


time = earliest(1, 0, {1})
print(time if time < 10**18 else -1)
