def repeat_string(s: str, n: int) -> str:
    return s * n
