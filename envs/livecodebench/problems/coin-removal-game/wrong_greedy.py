def winner(coins: int, moves: list[int]) -> str:
    last, player = 0, 0
    for _ in range(500):
        possible = [move for move in moves if move <= coins and move != last]
        if not possible:
            break
        last = max(possible)
        coins -= last
        player = 1 - player
    return "Bob" if player == 0 else "Ann"
