n, m = map(int, input().split())
painters = []
for _ in range(m):
    left, right, colour = input().split()
    painters.append((int(left), int(right) + 1, colour))
cuts = sorted({1, n + 1, *(cut for left, right, _ in painters for cut in (left, right))})
counts = {}
for i in range(len(cuts) - 1):
    colour = "bare"
    for left, right, new in painters:
        if left <= cuts[i] < right:
            colour = new
    counts[colour] = counts.get(colour, 0) + cuts[i + 1] - cuts[i]
for colour in sorted(set(counts) - {"bare"}):
    print(colour, counts[colour])
print("bare", counts.get("bare", 0))
