text = [ch for ch in input() if ch.isalpha()]
k = int(input())
print(text[k - 1] if k <= len(text) else "?")
