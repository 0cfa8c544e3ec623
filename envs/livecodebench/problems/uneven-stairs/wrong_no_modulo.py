def count_ways(n: int) -> int:
    ways = [{1: 0, 2: 0, 3: 0} for _ in range(n + 1)]
    for height in range(1, n + 1):
        for last in (1, 2, 3):
            if height == last:
                ways[height][last] = 1
            elif height > last:
                ways[height][last] = sum(ways[height - last].values()) - ways[height - last][last]
    return sum(ways[n].values())
