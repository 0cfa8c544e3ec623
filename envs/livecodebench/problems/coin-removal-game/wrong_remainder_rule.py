def winner(coins: int, moves: list[int]) -> str:
    return "Ann" if coins % (max(moves) + 1) else "Bob"
