def spread(nums: list[int]) -> int:
    x = min(nums)
    steps = 0
    while x != max(nums):
        x += 1
        steps += 1
    return steps
