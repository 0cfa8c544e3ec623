def smallest_difference(values: list[int]) -> int:
    def difference(things: list[int]) -> int:
        reachable = 1  # bit s: one share can have the value s
        for value in things:
            reachable |= reachable << value
        total = sum(things)
        return min(abs(total - 2 * share) for share in range(total + 1) if reachable >> share & 1)

    return min([difference(values), *(difference(values[:i] + values[i + 1 :]) for i in range(len(values)))])
