def count_smooth(n: int, d: int) -> int:
    ends = [0] + [1] * 9
    count = 1
    for _ in str(n):
        count += sum(ends)
        ends = [sum(ends[y] for y in range(10) if abs(x - y) <= d) for x in range(10)]
    return count
