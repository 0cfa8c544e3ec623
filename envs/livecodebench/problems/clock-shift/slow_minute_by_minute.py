hours, minutes = map(int, input().split(":"))
shift = int(input())
for _ in range(abs(shift)):
    minutes += 1 if shift > 0 else -1
    if minutes == 60:
        minutes = 0
        hours = (hours + 1) % 24
    elif minutes == -1:
        minutes = 59
        hours = (hours - 1) % 24
print(f"{hours:02d}:{minutes:02d}")
