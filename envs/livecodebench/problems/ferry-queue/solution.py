def count_trips(lengths: list[int], times: int, deck: int) -> int:
    size = len(lengths)
    total = sum(lengths)
    end, skipped = (
        [],
        [],
    )  # by the first vehicle of a trip: where the next trip begins, and how many list ends it passes
    for start in range(size):
        loops, left = divmod(deck, total)
        place = start
        while lengths[place % size] <= left:
            left -= lengths[place % size]
            place += 1
        end.append(place % size)
        skipped.append(loops + place // size)
    trips, place, done = 0, 0, 0
    seen = {}
    while done < times:
        if place in seen:
            old_trips, old_done = seen[place]
            rounds = (times - done - 1) // (done - old_done)
            if rounds > 0:
                trips, done = trips + rounds * (trips - old_trips), done + rounds * (done - old_done)
        else:
            seen[place] = trips, done
        done += skipped[place]
        place = end[place]
        trips += 1
    return trips
