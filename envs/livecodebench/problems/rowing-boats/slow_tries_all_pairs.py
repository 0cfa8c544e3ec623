def rental_cost(weights: list[int], limit: int) -> int:
    if not weights:
        return 0
    first, rest = weights[0], weights[1:]
    best = 13 + rental_cost(rest, limit)
    for i in range(len(rest)):
        if first + rest[i] <= limit:
            best = min(best, 16 + rental_cost(rest[:i] + rest[i + 1 :], limit))
    return best
