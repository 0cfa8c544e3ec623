import re

text = input().strip()
k = int(input())
while "(" in text and len(text) < 10**5:
    text = re.sub(r"(\d)\(([a-z]*)\)", lambda match: int(match[1]) * match[2], text, count=1)
print(text[k - 1] if k <= len(text) else "-")
