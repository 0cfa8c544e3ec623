from math import lcm


def nth_left(n: int, banned: list[int]) -> int:
    terms = [(1, 1)]  # inclusion and exclusion: (least common multiple, sign)
    for number in banned:
        terms += [(lcm(multiple, number), -sign) for multiple, sign in terms]

    def left(end: int) -> int:
        return sum(sign * (end // multiple) for multiple, sign in terms)

    low, high = 1, n
    while left(high) < n:
        high *= 2
    while low < high:
        middle = (low + high) // 2
        if left(middle) >= n:
            high = middle
        else:
            low = middle + 1
    return low
