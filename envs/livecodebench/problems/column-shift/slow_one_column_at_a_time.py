name = input().strip()
k = int(input())
for _ in range(abs(k)):
    filler, end = ("A", "Z") if k > 0 else ("Z", "A")
    stem = name.rstrip(end)
    ends = len(name) - len(stem)
    if stem:
        name = stem[:-1] + chr(ord(stem[-1]) + (1 if k > 0 else -1)) + filler * ends
    else:
        name = filler * (ends + 1 if k > 0 else ends - 1)
    if name == "":
        break
print(name or "none")
