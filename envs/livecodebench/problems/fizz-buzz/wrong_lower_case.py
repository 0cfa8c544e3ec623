def fizz_buzz(n: int) -> str:
    return (" fizz" * (n % 3 == 0) + " buzz" * (n % 5 == 0)) or f"{n}."
