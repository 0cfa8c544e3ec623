def longest_nest(boxes: list[list[int]]) -> int:
    turned = sorted(sorted(box) for box in boxes)
    longest = []
    for i, (w, h) in enumerate(turned):
        longest.append(1 + max((longest[j] for j in range(i) if turned[j][0] < w and turned[j][1] < h), default=0))
    return max(longest, default=0) - 1
