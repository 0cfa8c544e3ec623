def sum_of_three_lists(a: list[int], b: list[int], c: list[int]) -> int:
    return sum(x + y + z for x, y, z in zip(a, b, c, strict=False))
