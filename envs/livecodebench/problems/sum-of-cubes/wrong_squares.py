def sum_of_cubes(a: int, b: int, c: int) -> int:
    return a * a + b * b + c * c
