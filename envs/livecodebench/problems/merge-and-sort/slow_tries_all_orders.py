from itertools import permutations


def merge_and_sort(a: list[int], b: list[int]) -> list[int]:
    for order in permutations(sorted(a + b, reverse=True)):
        if all(order[i - 1] <= order[i] for i in range(1, len(order))):
            return list(order)
