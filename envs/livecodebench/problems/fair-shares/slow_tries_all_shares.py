def smallest_difference(values: list[int]) -> int:
    def smallest(i: int, difference: int, given: bool) -> int:
        if i == len(values):
            return abs(difference)
        best = min(smallest(i + 1, difference + sign * values[i], given) for sign in (1, -1))
        return best if given else min(best, smallest(i + 1, difference, True))

    return smallest(0, 0, False)
