def sign_of(n: int) -> int:
    return 1 if n >= 0 else -1
