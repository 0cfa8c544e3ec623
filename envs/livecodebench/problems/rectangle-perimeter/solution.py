def perimeter(width: int, height: int) -> int:
    return 2 * (width + height)
