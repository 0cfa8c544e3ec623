def winner(coins: int, moves: list[int]) -> str:
    lasts = [0, *moves]
    # wins[i][last]: whether the player to move wins with this number of coins after a removal of `last`
    window = []
    seen = {}
    history = []
    n = 0
    while True:
        wins = {}
        for last in lasts:
            wins[last] = any(move <= n and move != last and not history[n - move][move] for move in moves)
        history.append(wins)
        if n == coins:
            return "Ann" if wins[0] else "Bob"
        window = [*window, tuple(wins.values())][-5:]
        if n >= 5:
            state = tuple(window)
            if state in seen:
                period = n - seen[state]
                place = seen[state] + (coins - seen[state]) % period
                return "Ann" if history[place][0] else "Bob"
            seen[state] = n
        n += 1
