def smallest_difference(values: list[int]) -> int:
    sums = {0}
    for value in values:
        sums |= {total + value for total in sums}
    return max(total for total in sums if 2 * total <= sum(values)) + 1
