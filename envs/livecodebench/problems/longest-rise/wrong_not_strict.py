def longest_rise(nums: list[int]) -> int:
    best = 0
    length = 0
    for i in range(len(nums)):
        if i > 0 and nums[i] >= nums[i - 1]:
            length += 1
        else:
            length = 1
        best = max(best, length)
    return best
