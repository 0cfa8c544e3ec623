n = int(input())
total = 0
for _ in range(n):
    price, pieces = map(int, input().split())
    for _ in range(pieces):
        for _ in range(price):
            total += 1
if total >= 100:
    total -= 10
print(total)
