def smallest_difference(values: list[int]) -> int:
    first = second = 0
    for value in sorted(values, reverse=True)[1:]:
        if first <= second:
            first += value
        else:
            second += value
    return abs(first - second)
