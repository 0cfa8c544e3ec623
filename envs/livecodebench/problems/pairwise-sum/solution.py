def pairwise_sum(a: list[int], b: list[int]) -> list[int]:
    return [a[i] + b[i] for i in range(len(a))]
