text = ""
previous = ""
for _ in range(int(input())):
    parts = input().split()
    if parts[0] == "add":
        previous = text
        text += parts[1]
    elif parts[0] == "del":
        previous = text
        text = text[: max(0, len(text) - int(parts[1]))]
    elif parts[0] == "undo":
        text = previous
    else:
        print(text if text else "-")
