n, q = map(int, input().split())
capacities = list(map(int, input().split()))
water = [0] * n
lost = 0
for _ in range(q):
    kind, *numbers = input().split()
    if kind == "lost":
        print(lost)
    elif kind == "drain":
        water[int(numbers[0]) - 1] = 0
    elif kind == "show":
        print(water[int(numbers[0]) - 1])
    else:
        for _ in range(int(numbers[1])):
            i = int(numbers[0]) - 1
            while i < n and water[i] == capacities[i]:
                i += 1
            if i < n:
                water[i] += 1
            else:
                lost += 1
