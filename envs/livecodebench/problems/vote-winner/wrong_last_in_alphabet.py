n = int(input())
votes = [input().strip() for _ in range(n)]
count, name = max((votes.count(name), name) for name in votes)
print(name, count)
