def repeat_string(s: str, n: int) -> str:
    result = ""
    for _ in range(1, n):
        result += s
    return result
