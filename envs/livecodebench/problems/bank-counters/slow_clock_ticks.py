n, k = map(int, input().split())
queue = list(map(int, input().split()))
left = [0] * k
counters = []
time = 0
while queue or any(left):
    for counter in range(k):
        if left[counter] == 0 and queue:
            left[counter] = queue.pop(0)
            counters.append(counter + 1)
    left = [max(0, rest - 1) for rest in left]
    time += 1
print(*counters)
print(time)
