name = input().strip()
number = 0
for letter in name:
    number = 26 * number + ord(letter) - ord("A") + 1
number += int(input())
letters = []
while number > 0:
    number, digit = divmod(number - 1, 26)
    letters.append(chr(ord("a") + digit))
print("".join(reversed(letters)) or "-")
