def concatenate(a: str, b: str) -> str:
    return b + a
