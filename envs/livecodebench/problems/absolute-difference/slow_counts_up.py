def absolute_difference(a: int, b: int) -> int:
    steps = 0
    low = min(a, b)
    while low < max(a, b):
        low += 1
        steps += 1
    return steps
