n, k = map(int, input().split())
times = [0] * k
counters = []
for need in map(int, input().split()):
    counter = times.index(min(times))
    counters.append(counter)
    times[counter] += need
print(*counters)
print(max(times))
