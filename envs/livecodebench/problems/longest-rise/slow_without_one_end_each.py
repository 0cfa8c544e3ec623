def longest_rise(nums: list[int]) -> int:
    if all(nums[i] > nums[i - 1] for i in range(1, len(nums))):
        return len(nums)
    return max(longest_rise(nums[1:]), longest_rise(nums[:-1]))
