def longest_rise(nums: list[int]) -> int:
    if not nums:
        return 0
    best = 1
    length = 1
    for i in range(1, len(nums)):
        if nums[i] > nums[i - 1]:
            length += 1
        else:
            best = max(best, length)
            length = 1
    return best
