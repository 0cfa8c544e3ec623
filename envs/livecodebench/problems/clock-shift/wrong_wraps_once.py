hours, minutes = map(int, input().split(":"))
shift = int(input())
total = hours * 60 + minutes + shift
if total >= 1440:
    total -= 1440
elif total < 0:
    total += 1440
print(f"{total // 60:02d}:{total % 60:02d}")
