def perimeter(width: int, height: int) -> int:
    steps = 0
    for side in (width, height, width, height):
        for _ in range(side):
            steps += 1
    return steps
