def rental_cost(weights: list[int], limit: int) -> int:
    boats, i = 0, 0
    weights = sorted(weights)
    while i < len(weights):
        i += 2 if i + 1 < len(weights) and weights[i] + weights[i + 1] <= limit else 1
        boats += 1
    return 10 * boats + 3 * len(weights)
