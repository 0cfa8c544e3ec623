def last_element(items: list[int]) -> int:
    return max(items)
