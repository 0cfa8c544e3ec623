def pairwise_sum(a: list[int], b: list[int]) -> int:
    return sum(a) + sum(b)
