def count_smooth(n: int, d: int) -> int:
    count = 0
    for x in range(1, min(n, 40000) + 1):
        text = str(x)
        count += all(abs(int(text[i]) - int(text[i - 1])) <= d for i in range(1, len(text)))
    return count
