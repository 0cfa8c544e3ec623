def min_of_three(a: int, b: int, c: int) -> int:
    x = a
    while x > b or x > c:
        x -= 1
    return x
