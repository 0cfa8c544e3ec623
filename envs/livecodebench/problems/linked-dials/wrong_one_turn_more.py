from collections import deque


def fewest_turns(start: str, goal: str, forbidden: list[str]) -> int:
    turns = {start: 1}
    queue = deque([start])
    while queue:
        code = queue.popleft()
        for dial in range(3):
            for step in (1, 9):
                new = code[:dial] + "".join(str((int(digit) + step) % 10) for digit in code[dial:])
                if new not in turns and new not in forbidden:
                    turns[new] = turns[code] + 1
                    queue.append(new)
    return turns.get(goal, 0)
