def celsius_to_fahrenheit(c: int) -> int:
    return c * 9 // 5 + 32
