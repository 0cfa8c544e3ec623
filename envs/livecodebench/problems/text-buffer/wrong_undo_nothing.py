texts = [""]
for _ in range(int(input())):
    parts = input().split()
    if parts[0] == "add":
        texts.append(texts[-1] + parts[1])
    elif parts[0] == "del":
        text = texts[-1]
        texts.append(text[: max(0, len(text) - int(parts[1]))])
    elif parts[0] == "undo":
        texts.pop()
    else:
        print(texts[-1] or "-")
