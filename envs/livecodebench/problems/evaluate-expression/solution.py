def evaluate_expression(expression: str) -> int:
    text = expression.replace(" ", "")
    pos = 0

    def factor() -> int:
        nonlocal pos
        if text[pos] == "(":
            pos += 1
            value = total()
            pos += 1
            return value
        start = pos
        while pos < len(text) and text[pos].isdigit():
            pos += 1
        return int(text[start:pos])

    def product() -> int:
        nonlocal pos
        value = factor()
        while pos < len(text) and text[pos] == "*":
            pos += 1
            value *= factor()
        return value

    def total() -> int:
        nonlocal pos
        value = product()
        while pos < len(text) and text[pos] in "+-":
            sign = 1 if text[pos] == "+" else -1
            pos += 1
            value += sign * product()
        return value

    return total()
