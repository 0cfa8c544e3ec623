def merge_and_sort(a: list[int], b: list[int]) -> list[int]:
    return sorted([*a, *b, 0], reverse=True)
