n = int(input())
counts = {}
for _ in range(n):
    name = input().strip()
    counts[name] = counts.get(name, 0) + 1
winner = min(counts, key=lambda name: (-counts[name], name))
print(winner, counts[winner])
