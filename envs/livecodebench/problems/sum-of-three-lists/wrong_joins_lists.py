def sum_of_three_lists(a: list[int], b: list[int], c: list[int]) -> list[int]:
    return a + b + c
