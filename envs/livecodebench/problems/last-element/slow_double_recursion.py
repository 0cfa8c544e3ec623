def last_element(items: list[int]) -> int:
    if len(items) == 1:
        return items[0]
    return last_element(items[1:]) if last_element(items[1:]) == items[-1] else items[-1]
