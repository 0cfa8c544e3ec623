def nth_left(n: int, banned: list[int]) -> int:
    terms = [(1, 1)]
    for number in banned:
        terms += [(multiple * number, -sign) for multiple, sign in terms]
    low, high = 1, 10**17
    while low < high:
        middle = (low + high) // 2
        if sum(sign * (middle // multiple) for multiple, sign in terms) >= n:
            high = middle
        else:
            low = middle + 1
    return low
