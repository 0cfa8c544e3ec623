a, b, d = map(int, input().split())
count = 0
for x in range(a, b + 1):
    if x % d == 0:
        count += 1
print(count)
