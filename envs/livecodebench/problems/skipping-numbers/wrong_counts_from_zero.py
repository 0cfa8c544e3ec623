def nth_left(n: int, banned: list[int]) -> int:
    x = 1
    for _ in range(min(n, 3000)):
        x += 1
        while any(x % number == 0 for number in banned):
            x += 1
    return x
