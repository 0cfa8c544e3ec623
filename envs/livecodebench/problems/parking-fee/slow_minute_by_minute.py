days, hours, minutes = map(int, input().split(":"))
fee = today = 0
for minute in range(days * 24 * 60 + hours * 60 + minutes):
    if minute % (24 * 60) == 0:
        fee += today
        today = 0
    if minute % 60 == 0:
        today = min(15, today + 2)
print(fee + today)
