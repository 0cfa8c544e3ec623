def longest_nest(boxes: list[list[int]]) -> int:
    count, last = 0, [0, 0]
    for box in sorted(sorted(box) for box in boxes):
        if last[0] < box[0] and last[1] < box[1]:
            count += 1
            last = box
    return count
