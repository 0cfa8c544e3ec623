def count_smooth(n: int, d: int) -> int:
    count = 0
    for x in range(min(n, 40000) + 1):
        count += abs(int(str(x)[0]) - int(str(x)[-1])) <= d
    return count
