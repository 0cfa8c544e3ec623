def winner(coins: int, moves: list[int]) -> str:
    return "ann" if coins % 2 else "bob"
