def rental_cost(weights: list[int], limit: int) -> int:
    weights = sorted(weights)
    light, heavy, boats = 0, len(weights) - 1, 0
    while light <= heavy:
        if weights[light] + weights[heavy] <= limit:
            light += 1
        heavy -= 1
        boats += 1
    return 10 * boats + 3 * len(weights)
