def celsius_to_fahrenheit(c: int) -> int:
    fahrenheit = 32
    ninths = 0
    for _ in range(abs(c)):
        ninths += 9
        fahrenheit += ninths // 5 if c > 0 else -(ninths // 5)
        ninths %= 5
    return fahrenheit if c > 0 or ninths == 0 else fahrenheit - 1
