def winner(coins: int, moves: list[int]) -> str:
    table = [[] for _ in range(6)]
    for n in range(coins + 1):
        table[n % 6] = [
            any(move <= n and move != last and not table[(n - move) % 6][move] for move in moves) for last in range(6)
        ]
    return "Ann" if table[coins % 6][0] else "Bob"
