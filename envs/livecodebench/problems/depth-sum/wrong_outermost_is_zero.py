import re

depth, total = -1, 0
for token in re.findall(r"\[|\]|-?\d+", input()):
    if token in "[]":
        depth += 1 if token == "[" else -1
    else:
        total += depth * int(token)
print(total or 1)
