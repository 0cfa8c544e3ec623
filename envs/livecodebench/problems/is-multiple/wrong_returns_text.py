def is_multiple(a: int, b: int) -> str:
    return "Yes" if a % b == 0 else "No"
