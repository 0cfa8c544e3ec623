name = input().strip()
k = int(input())
print(name[:-1] + chr((ord(name[-1]) - ord("A") + k) % 26 + ord("A")))
