days, hours, minutes = map(int, input().split(":"))
print(min(15, 48 * days + 2 * (hours + (minutes > 0))) + 1)
