n, k = map(int, input().split())
times = [0] * k
counters = []
for i, need in enumerate(map(int, input().split())):
    counters.append(i % k + 1)
    times[i % k] += need
print(*counters)
print(max(times))
