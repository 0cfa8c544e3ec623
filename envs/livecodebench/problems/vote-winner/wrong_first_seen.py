n = int(input())
counts = {}
for _ in range(n):
    name = input().strip()
    counts[name] = counts.get(name, 0) + 1
winner = max(counts, key=counts.get)
print(winner, counts[winner])
