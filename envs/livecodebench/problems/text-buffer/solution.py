text = ""
history = []
for _ in range(int(input())):
    command, *args = input().split()
    if command == "add":
        history.append(text)
        text += args[0]
    elif command == "del":
        history.append(text)
        text = text[: max(0, len(text) - int(args[0]))]
    elif command == "undo":
        if history:
            text = history.pop()
    else:
        print(text or "-")
