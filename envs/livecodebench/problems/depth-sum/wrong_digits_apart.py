depth = total = 0
for ch in input():
    if ch in "[]":
        depth += 1 if ch == "[" else -1
    elif ch.isdigit():
        total += depth * int(ch)
print(total)
