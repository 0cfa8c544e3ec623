def is_triangle(a: int, b: int, c: int) -> bool:
    return False
