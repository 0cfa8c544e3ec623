def evaluate_expression(expression: str) -> int:
    text = expression.replace(" ", "")
    for operators in ("+-", "*"):
        depth = 0
        for i in range(len(text) - 1, -1, -1):
            depth += (text[i] == ")") - (text[i] == "(")
            if depth == 0 and text[i] in operators:
                left, right = evaluate_expression(text[:i]), evaluate_expression(text[i + 1 :])
                if left == evaluate_expression(text[:i]):
                    return left + right if text[i] == "+" else left - right if text[i] == "-" else left * right
    return evaluate_expression(text[1:-1]) if text[0] == "(" else int(text)
