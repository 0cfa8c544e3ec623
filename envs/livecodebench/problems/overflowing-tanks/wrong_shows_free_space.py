n, q = map(int, input().split())
capacities = list(map(int, input().split()))
water = [0] * n
for _ in range(q):
    kind, *numbers = input().split()
    if kind == "lost":
        print(0)
    elif kind == "drain":
        water[int(numbers[0]) - 1] = 0
    elif kind == "show":
        print(capacities[int(numbers[0]) - 1] - water[int(numbers[0]) - 1])
    else:
        i, left = int(numbers[0]) - 1, int(numbers[1])
        while i < n and left:
            taken = min(left, capacities[i] - water[i])
            water[i] += taken
            left -= taken
            i += 1
