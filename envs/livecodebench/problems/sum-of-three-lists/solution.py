def sum_of_three_lists(a: list[int], b: list[int], c: list[int]) -> int:
    return sum(a) + sum(b) + sum(c)
