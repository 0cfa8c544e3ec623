def longest_nest(boxes: list[list[int]]) -> int:
    boxes = sorted(boxes)
    longest = []
    for i, (w, h) in enumerate(boxes):
        longest.append(1 + max((longest[j] for j in range(i) if boxes[j][0] < w and boxes[j][1] < h), default=0))
    return max(longest, default=0)
