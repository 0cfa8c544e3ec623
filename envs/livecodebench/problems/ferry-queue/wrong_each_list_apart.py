def count_trips(lengths: list[int], times: int, deck: int) -> int:
    trips, left = 0, 0
    for length in lengths:
        if length > left:
            trips += 1
            left = deck
        left -= length
    return trips * times
