def nth_left(n: int, banned: list[int]) -> int:
    x = n
    for number in sorted(set(banned)):
        if number <= x:
            x += 1
    return x
