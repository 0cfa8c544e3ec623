n = int(input())
total = 0
for _ in range(n):
    price, pieces = map(int, input().split())
    total += price * pieces
if total > 100:
    total -= 10
print(total)
