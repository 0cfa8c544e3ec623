def longest_rise(nums: list[int]) -> list[int]:
    best = []
    for i in range(len(nums)):
        j = i + 1
        while j < len(nums) and nums[j] > nums[j - 1]:
            j += 1
        best = max(best, nums[i:j], key=len)
    return best
