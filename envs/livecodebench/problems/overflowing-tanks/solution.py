n, q = map(int, input().split())
capacities = list(map(int, input().split()))
water = [0] * n
lost = 0
for _ in range(q):
    kind, *numbers = input().split()
    if kind == "lost":
        print(lost)
        continue
    i = int(numbers[0]) - 1
    if kind == "drain":
        water[i] = 0
    elif kind == "show":
        print(water[i])
    else:
        left = int(numbers[1])
        while i < n:
            taken = min(left, capacities[i] - water[i])
            water[i] += taken
            left -= taken
            i += 1
        lost += left
