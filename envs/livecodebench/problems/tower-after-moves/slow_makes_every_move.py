def pegs_after(n: int, k: int) -> list[int]:
    counts = [n, 0, 0]

    def moves(discs: int, source: int, target: int):
        if discs > 0:
            spare = 3 - source - target
            yield from moves(discs - 1, source, spare)
            yield source, target
            yield from moves(discs - 1, spare, target)

    if k > 0:
        for source, target in moves(n, 0, 2):
            counts[source] -= 1
            counts[target] += 1
            k -= 1
            if k == 0:
                break
    return counts
