def evaluate_expression(expression: str) -> int:
    text = expression.replace(" ", "")

    def value(s):
        for ops in ("+-", "*"):
            level = 0
            for i, ch in enumerate(s):
                if ch == "(":
                    level += 1
                elif ch == ")":
                    level -= 1
                elif level == 0 and ch in ops:
                    left, right = value(s[:i]), value(s[i + 1 :])
                    return left + right if ch == "+" else left - right if ch == "-" else left * right
        return value(s[1:-1]) if s[0] == "(" else int(s)

    return value(text)
