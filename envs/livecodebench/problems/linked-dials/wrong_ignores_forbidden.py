def fewest_turns(start: str, goal: str, forbidden: list[str]) -> int:
    turns, carried = 0, 0
    for i in range(3):
        distance = (int(goal[i]) - int(start[i]) - carried) % 10
        turns += min(distance, 10 - distance)
        carried = (int(goal[i]) - int(start[i])) % 10
    return turns
