def repeat_string(s: str, n: int) -> str:
    if n == 0:
        return ""
    return repeat_string(s, n - 1) + s if len(repeat_string(s, n - 1)) < n * len(s) else ""
