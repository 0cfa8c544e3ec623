def repeat_string(s: str, n: int) -> list[str]:
    return [s] * n
