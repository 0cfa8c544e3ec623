def longest_nest(boxes: list[list[int]]) -> int:
    def longest(box: list[int]) -> int:
        return 1 + max(
            (longest(other) for other in boxes if min(other) < min(box) and max(other) < max(box)), default=0
        )

    return longest([10**10, 10**10]) - 1
