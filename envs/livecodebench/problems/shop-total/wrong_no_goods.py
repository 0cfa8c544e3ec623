n = int(input())
price, pieces = map(int, input().split())
total = price * pieces
for _ in range(n - 1):
    price, pieces = map(int, input().split())
    total += price * pieces
if total >= 100:
    total -= 10
print(total)
