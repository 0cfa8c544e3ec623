days, hours, minutes = map(int, input().split(":"))
print(48 * days + 2 * hours + 2 * (minutes > 0))
