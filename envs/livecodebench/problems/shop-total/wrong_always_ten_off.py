n = int(input())
total = 0
for _ in range(n):
    price, pieces = map(int, input().split())
    total += price * pieces
print(total - 10)
