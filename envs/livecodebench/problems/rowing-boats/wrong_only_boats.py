def rental_cost(weights: list[int], limit: int) -> int:
    return 10 * len(weights) - 1
