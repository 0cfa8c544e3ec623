def evaluate_expression(expression: str) -> str:
    return str(eval(expression.strip()))
