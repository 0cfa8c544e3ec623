def pegs_after(n: int, k: int) -> list[int]:
    return [n, 0, 0] if k == 1 else [0, 1, n]
