n = int(input())
talks = sorted(tuple(map(int, input().split())) for _ in range(n))


def most(i, free_from):
    if i == n:
        return 0
    start, end = talks[i]
    without = most(i + 1, free_from)
    return max(without, 1 + most(i + 1, end)) if start >= free_from else without


print(most(0, 0))
