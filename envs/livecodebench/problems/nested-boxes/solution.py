def longest_nest(boxes: list[list[int]]) -> int:
    turned = sorted(sorted(box) for box in boxes)
    longest = []
    for i, (short, long) in enumerate(turned):
        inside = [longest[j] for j in range(i) if turned[j][0] < short and turned[j][1] < long]
        longest.append(1 + max(inside, default=0))
    return max(longest, default=0)
