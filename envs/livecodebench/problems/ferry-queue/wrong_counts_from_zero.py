def count_trips(lengths: list[int], times: int, deck: int) -> int:
    trips, left = 0, deck
    for _ in range(min(times, 1000)):
        for length in lengths:
            if length > left:
                trips += 1
                left = deck
            left -= length
    return trips
