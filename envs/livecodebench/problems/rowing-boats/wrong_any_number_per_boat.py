def rental_cost(weights: list[int], limit: int) -> int:
    boats, left = 0, 0
    for weight in sorted(weights):
        if weight > left:
            boats += 1
            left = limit
        left -= weight
    return 10 * boats + 3 * len(weights)
