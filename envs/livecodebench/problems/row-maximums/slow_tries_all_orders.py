from itertools import permutations

r, c = map(int, input().split())
for _ in range(r):
    for order in permutations(sorted(map(int, input().split()))):
        if all(order[i - 1] >= order[i] for i in range(1, c)):
            print(order[0])
            break
