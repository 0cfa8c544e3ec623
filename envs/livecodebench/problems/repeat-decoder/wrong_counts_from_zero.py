import re

text = input().strip()
k = int(input())
while "(" in text and len(text) < 10**5:
    text = re.sub(r"(\d+)\((\w*?)\)", lambda match: min(int(match[1]), 10**3) * match[2], text, count=1)
print(text[k] if k < len(text) else "-")
