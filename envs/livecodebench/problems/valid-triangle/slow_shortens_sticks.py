def is_triangle(a: int, b: int, c: int) -> bool:
    short, middle, long = sorted([a, b, c])
    while short > 0 and long > middle:
        short -= 1
        long -= 1
    for _ in range(middle):
        middle -= 1
    return short > 0
