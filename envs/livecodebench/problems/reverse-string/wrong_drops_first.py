def reverse_string(s: str) -> str:
    return s[-1:0:-1]
