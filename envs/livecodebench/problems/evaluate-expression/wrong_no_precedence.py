def evaluate_expression(expression: str) -> int:
    tokens = []
    for ch in expression.replace(" ", ""):
        if ch.isdigit() and tokens and tokens[-1].isdigit():
            tokens[-1] += ch
        else:
            tokens.append(ch)

    def run(i):
        value = None
        op = "+"
        while i < len(tokens) and tokens[i] != ")":
            if tokens[i] in "+-*":
                op = tokens[i]
                i += 1
                continue
            if tokens[i] == "(":
                item, i = run(i + 1)
            else:
                item = int(tokens[i])
            i += 1
            if value is None:
                value = item
            elif op == "+":
                value += item
            elif op == "-":
                value -= item
            else:
                value *= item
        return value, i

    return run(0)[0]
