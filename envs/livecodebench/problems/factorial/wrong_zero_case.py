def factorial_of(n: int) -> int:
    result = n
    for i in range(1, n):
        result *= i
    return result
