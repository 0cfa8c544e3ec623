def celsius_to_fahrenheit(c: int) -> int:
    return (c - 32) * 5 // 9
