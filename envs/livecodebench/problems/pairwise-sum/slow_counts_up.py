def pairwise_sum(a: list[int], b: list[int]) -> list[int]:
    sums = list(a)
    for i in range(len(b)):
        for _ in range(abs(b[i])):
            sums[i] += 1 if b[i] > 0 else -1
    return sums
