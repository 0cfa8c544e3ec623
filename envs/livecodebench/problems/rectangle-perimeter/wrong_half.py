def perimeter(width: int, height: int) -> int:
    return width + height
