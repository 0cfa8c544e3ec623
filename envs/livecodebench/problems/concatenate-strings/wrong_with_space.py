def concatenate(a: str, b: str) -> str:
    return a + " " + b
