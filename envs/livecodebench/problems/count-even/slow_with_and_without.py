def count_even(nums: list[int]) -> int:
    if not nums:
        return 0
    return max(count_even(nums[1:]), (nums[0] % 2 == 0) + count_even(nums[1:]))
