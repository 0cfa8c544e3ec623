n, w = map(int, input().split())
items = [tuple(map(int, input().split())) for _ in range(n)]


def best(i, left):
    if i == n:
        return 0
    weight, value = items[i]
    without = best(i + 1, left)
    return max(without, best(i + 1, left - weight) + value) if weight <= left else without


print(best(0, w))
