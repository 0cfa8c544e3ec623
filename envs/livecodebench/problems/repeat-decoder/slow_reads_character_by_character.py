text = input().strip()
k = int(input())


def closing(i):
    depth = 0
    while True:
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0:
            return i
        i += 1


def letters(i, end):
    while i < end:
        if text[i].isdigit():
            start = text.index("(", i)
            close = closing(start)
            for _ in range(int(text[i:start])):
                yield from letters(start + 1, close)
            i = close + 1
        else:
            yield text[i]
            i += 1


for letter in letters(0, len(text)):
    k -= 1
    if k == 0:
        print(letter)
        break
else:
    print("-")
