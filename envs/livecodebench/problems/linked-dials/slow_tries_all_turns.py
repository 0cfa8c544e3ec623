def fewest_turns(start: str, goal: str, forbidden: list[str]) -> int:
    def reached(code: str, left: int) -> bool:
        if code == goal:
            return True
        if left == 0:
            return False
        for dial in range(3):
            for step in (1, 9):
                new = code[:dial] + "".join(str((int(digit) + step) % 10) for digit in code[dial:])
                if new not in forbidden and reached(new, left - 1):
                    return True
        return False

    for turns in range(1000):
        if reached(start, turns):
            return turns
    return -1
