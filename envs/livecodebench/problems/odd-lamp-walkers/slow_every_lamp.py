n = int(input())
count = 0
for lamp in range(1, n + 1):
    while lamp % 2 == 0:
        lamp //= 2
    root = 1
    while root * root < lamp:
        root += 2
    count += root * root == lamp
print(count)
