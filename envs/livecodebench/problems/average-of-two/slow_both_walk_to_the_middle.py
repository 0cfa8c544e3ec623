def average_of_two(a: int, b: int) -> int:
    total = a + b
    half = 0
    while total > 1:
        total -= 2
        half += 1
    while total < 0:
        total += 2
        half -= 1
    return half
