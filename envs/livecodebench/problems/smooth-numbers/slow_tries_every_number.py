def count_smooth(n: int, d: int) -> int:
    count = 0
    x = 0
    while x <= n:
        text = str(x)
        if all(abs(int(text[i]) - int(text[i - 1])) <= d for i in range(1, len(text))):
            count += 1
        x += 1
    return count
