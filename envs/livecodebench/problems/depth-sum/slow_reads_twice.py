def elements(text):
    parts, depth, part = [], 0, ""
    for ch in text[1:-1]:
        depth += (ch == "[") - (ch == "]")
        if ch == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += ch
    return [*parts, part] if part or parts else []


def weighted(text, depth):
    total = 0
    for part in elements(text):
        if part[0] != "[":
            total += depth * int(part)
        elif weighted(part, depth + 1) != 0:
            total += weighted(part, depth + 1)
    return total


print(weighted(input().strip(), 1))
