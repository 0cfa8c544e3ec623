def fewest_turns(start: str, goal: str, forbidden: list[str]) -> int:
    turns = 0
    for i in range(3):
        distance = abs(int(start[i]) - int(goal[i]))
        turns += min(distance, 10 - distance)
    return turns
