def longest_nest(boxes: list[list[int]]) -> int:
    return len({w * h for w, h in boxes})
