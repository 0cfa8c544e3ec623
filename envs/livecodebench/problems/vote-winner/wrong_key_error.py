n = int(input())
counts = {}
for _ in range(n):
    counts[input().strip()] += 1
best = max(counts.values())
print(min(name for name in counts if counts[name] == best), best)
