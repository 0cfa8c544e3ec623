def factorial_of(n: int) -> int:
    result = 1
    for i in range(1, n + 2):
        result *= i
    return result
