from itertools import permutations


def sort_descending(nums: list[int]) -> list[int]:
    for order in permutations(sorted(nums)):
        if all(order[i - 1] >= order[i] for i in range(1, len(order))):
            return list(order)
