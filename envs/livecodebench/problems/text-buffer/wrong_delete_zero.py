text = ""
history = []
for _ in range(int(input())):
    parts = input().split()
    if parts[0] == "add":
        history.append(text)
        text += parts[1]
    elif parts[0] == "del":
        history.append(text)
        text = text[: -int(parts[1])]
    elif parts[0] == "undo":
        if history:
            text = history.pop()
    else:
        print(text if text else "-")
