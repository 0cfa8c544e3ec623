def nth_left(n: int, banned: list[int]) -> int:
    x = 0
    while n > 0:
        x += 1
        if all(x % number for number in banned):
            n -= 1
    return x
