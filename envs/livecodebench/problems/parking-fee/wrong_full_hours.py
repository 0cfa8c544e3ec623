days, hours, minutes = map(int, input().split(":"))
print(15 * days + min(15, 2 * hours))
