def evaluate_expression(expression: str) -> int:
    total = 0
    for part in expression.replace("-", "+-").split("+"):
        product = 1
        for number in part.split("*"):
            product *= int(number.replace(" ", ""))
        total += product
    return total
