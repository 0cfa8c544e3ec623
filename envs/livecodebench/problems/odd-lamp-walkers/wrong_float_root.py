n = int(input())
count = 0
while n > 1:
    count += int((n**0.5 + 1) / 2)
    n //= 2
print(count)
