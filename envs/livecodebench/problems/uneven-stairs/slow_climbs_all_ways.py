def count_ways(n: int) -> int:
    def ways(left: int, last: int) -> int:
        if left == 0:
            return 1
        return sum(ways(left - step, step) for step in (1, 2, 3) if step != last and step <= left)

    return ways(n, 0) % 1000003
