def pairwise_sum(a: list[int], b: list[int]) -> list[int]:
    return a + b
