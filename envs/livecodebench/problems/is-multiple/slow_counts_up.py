def is_multiple(a: int, b: int) -> bool:
    multiple = 0
    while multiple < abs(a):
        multiple += b
    return multiple == abs(a)
