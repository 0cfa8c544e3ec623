def count_ways(n: int) -> int:
    ways = [1] + [0] * n
    for step in (1, 2, 3):
        for height in range(step, n + 1):
            ways[height] = (ways[height] + ways[height - step]) % 1000003
    return ways[n] + 1
