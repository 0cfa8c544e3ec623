def count_smooth(n: int, d: int) -> int:
    digits = [int(digit) for digit in str(n)]
    ends = [1] * 10  # ends[x]: smooth runs of the current length that begin with the digit x
    by_length = [ends]
    for _ in digits:
        ends = [sum(ends[y] for y in range(10) if abs(x - y) <= d) for x in range(10)]
        by_length.append(ends)
    count = 1  # zero
    for length in range(1, len(digits)):
        count += sum(by_length[length - 1][1:])
    previous = None
    for i, digit in enumerate(digits):
        for x in range(1 if i == 0 else 0, digit):
            if previous is None or abs(previous - x) <= d:
                count += by_length[len(digits) - i - 1][x]
        if previous is not None and abs(previous - digit) > d:
            return count
        previous = digit
    return count + (n > 0)
