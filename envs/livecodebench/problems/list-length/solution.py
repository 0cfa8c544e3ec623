def list_length(items: list[int]) -> int:
    return len(items)
