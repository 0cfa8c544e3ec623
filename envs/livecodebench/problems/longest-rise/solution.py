def longest_rise(nums: list[int]) -> int:
    best = 0
    length = 0
    for i in range(len(nums)):
        length = length + 1 if i > 0 and nums[i] > nums[i - 1] else 1
        best = max(best, length)
    return best
