text = ""
history = []
for _ in range(int(input())):
    parts = input().split()
    if parts[0] == "add":
        history.append(text)
        text += parts[1]
    elif parts[0] == "del":
        history.append(text)
        text = text[: max(0, len(text) - int(parts[1]))]
    elif parts[0] == "undo" and history:
        text = history.pop()
    elif parts[0] == "show":
        print(text)
