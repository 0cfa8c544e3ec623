def factorial_of(n: int) -> int:
    return sum(factorial_of(n - 1) for _ in range(n)) if n > 0 else 1
