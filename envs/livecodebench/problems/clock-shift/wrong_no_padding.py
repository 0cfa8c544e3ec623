hours, minutes = map(int, input().split(":"))
shift = int(input())
total = (hours * 60 + minutes + shift) % 1440
print(f"{total // 60}:{total % 60}")
