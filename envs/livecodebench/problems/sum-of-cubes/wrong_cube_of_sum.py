def sum_of_cubes(a: int, b: int, c: int) -> int:
    return (a + b + c) ** 3
