def winner(coins: int, moves: list[int]) -> str:
    wins = []
    for n in range(min(coins, 500) + 1):
        wins.append(any(move <= n and not wins[n - move] for move in moves))
    return "Ann" if wins[-1] else "Bob"
