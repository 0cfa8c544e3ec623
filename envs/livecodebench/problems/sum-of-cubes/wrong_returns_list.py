def sum_of_cubes(a: int, b: int, c: int) -> list[int]:
    return [a**3, b**3, c**3]
