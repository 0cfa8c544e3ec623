def fizz_buzz(n: int) -> str:
    three = five = 0
    for _ in range(n):
        three = (three + 1) % 3
        five = (five + 1) % 5
    return ("" if three else "Fizz") + ("" if five else "Buzz") or str(n)
