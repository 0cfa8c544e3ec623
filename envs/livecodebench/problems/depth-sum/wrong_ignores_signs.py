import re

depth = total = 0
for token in re.findall(r"\[|\]|\d+", input()):
    if token == "[":
        depth += 1
    elif token == "]":
        depth -= 1
    else:
        total += depth * int(token)
print(total)
