n, m = map(int, input().split())
boards = ["bare"] * min(n, 10**5)
for _ in range(m):
    left, right, colour = input().split()
    for i in range(int(left) - 1, min(int(right), len(boards))):
        if boards[i] == "bare":
            boards[i] = colour
for colour in sorted(set(boards) - {"bare"}):
    print(colour, boards.count(colour))
print("bare", boards.count("bare"))
