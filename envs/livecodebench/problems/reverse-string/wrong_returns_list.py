def reverse_string(s: str) -> list[str]:
    return list(s)[::-1]
