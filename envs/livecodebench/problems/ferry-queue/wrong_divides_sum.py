def count_trips(lengths: list[int], times: int, deck: int) -> int:
    return -(-sum(lengths) * times // deck)
