def pegs_after(n: int, k: int) -> list[int]:
    counts = [0, 0, 0]
    source, target, spare = 0, 1, 2
    for disc in range(n, 0, -1):
        half = 2 ** (disc - 1)
        if k < half:
            counts[source] += 1
            target, spare = spare, target
        else:
            counts[target] += 1
            k -= half
            source, spare = spare, source
    return counts
