def list_length(items: list[int]) -> int:
    return 1 + max(list_length(items[1:]), list_length(items[:-1])) if items else 0
