def every_second(items: list[int]) -> list[int]:
    if len(items) < 2:
        return items
    rest = every_second(items[2:]) + every_second(items[2:])
    return [items[0]] + rest[: len(rest) // 2]
