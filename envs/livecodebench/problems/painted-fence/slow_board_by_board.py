n, m = map(int, input().split())
painters = [input().split() for _ in range(m)]
counts = {"bare": 0}
for board in range(1, n + 1):
    colour = "bare"
    for left, right, new in painters:
        if int(left) <= board <= int(right):
            colour = new
    counts[colour] = counts.get(colour, 0) + 1
for colour in sorted(set(counts) - {"bare"}):
    print(colour, counts[colour])
print("bare", counts["bare"])
