def pegs_after(n: int, k: int) -> list[int]:
    moved = bin(k).count("1")
    return [n - moved, 0, moved]
