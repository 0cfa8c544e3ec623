def digit_sum(n: int) -> int:
    tens = 0
    while n >= 10:
        n -= 10
        tens += 1
    return n + (digit_sum(tens) if tens else 0)
