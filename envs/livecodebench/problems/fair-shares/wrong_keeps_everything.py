def smallest_difference(values: list[int]) -> int:
    sums = {0}
    for value in values:
        sums = {abs(total + sign * value) for total in sums for sign in (1, -1)}
    return min(sums)
