def digit_sum(n: int) -> int:
    return len(str(n))
