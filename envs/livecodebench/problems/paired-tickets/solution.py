a, b, m, r = map(int, input().split())


def with_remainder(end: int, rest: int) -> int:
    """How many of 1..end leave this remainder."""
    return end // m + (0 < rest <= end % m)


count = 0
for rest in range(m):
    red = with_remainder(a, rest)
    count += red * with_remainder(b, (r - rest) % m)
    if 2 * rest % m == r:
        count -= with_remainder(min(a, b), rest)
print(count)
