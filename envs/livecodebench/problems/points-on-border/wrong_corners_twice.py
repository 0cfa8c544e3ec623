from math import gcd

n = int(input())
corners = [tuple(map(int, input().split())) for _ in range(n)]
print(sum(gcd(corners[i - 1][0] - corners[i][0], corners[i - 1][1] - corners[i][1]) + 1 for i in range(n)))
