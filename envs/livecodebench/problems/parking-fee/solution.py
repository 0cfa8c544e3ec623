days, hours, minutes = map(int, input().split(":"))
begun = hours + (minutes > 0)
print(15 * days + min(15, 2 * begun))
