def sign_of(n: int) -> str:
    return "positive" if n > 0 else "negative"
