hours, minutes = map(int, input().split(":"))
shift = int(input())
total = hours * 60 + minutes + shift
print(f"{total // 60:02d}:{total % 60:02d}")
