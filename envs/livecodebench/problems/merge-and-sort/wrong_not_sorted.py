def merge_and_sort(a: list[int], b: list[int]) -> list[int]:
    return a + b
