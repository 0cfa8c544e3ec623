n, k = map(int, input().split())
needs = list(map(int, input().split()))
times = [0] * k
for need in needs:
    times[times.index(min(times))] += need
print(sum(needs))
print(max(times))
