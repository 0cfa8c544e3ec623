def longest_rise(nums: list[int]) -> int:
    best = 1
    length = 1
    for i in range(1, len(nums)):
        if nums[i] > nums[i - 1]:
            length += 1
        else:
            length = 1
        if length > best:
            best = length
    return best
