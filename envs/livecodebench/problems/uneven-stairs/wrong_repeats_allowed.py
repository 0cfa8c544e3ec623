def count_ways(n: int) -> int:
    ways = [1, 1, 2]
    for _ in range(3, n + 1):
        ways.append(sum(ways[-3:]) % 1000003)
    return ways[n]
