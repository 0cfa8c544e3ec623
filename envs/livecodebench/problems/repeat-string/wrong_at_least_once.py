def repeat_string(s: str, n: int) -> str:
    result = s
    while len(result) < len(s) * n:
        result += s
    return result
