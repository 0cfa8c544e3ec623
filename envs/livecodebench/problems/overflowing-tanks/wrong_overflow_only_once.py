n, q = map(int, input().split())
capacities = list(map(int, input().split()))
water = [0] * (n + 1)
for _ in range(q):
    kind, *numbers = input().split()
    if kind == "lost":
        print(water[n])
    elif kind == "drain":
        water[int(numbers[0]) - 1] = 0
    elif kind == "show":
        print(water[int(numbers[0]) - 1])
    else:
        i = int(numbers[0]) - 1
        water[i] += int(numbers[1])
        if water[i] > capacities[i]:
            water[i + 1] += water[i] - capacities[i]
            water[i] = capacities[i]
