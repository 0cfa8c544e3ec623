def every_second(items: list[int]) -> list[int]:
    return items[::2]
