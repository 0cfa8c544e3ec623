def sum_even(nums: list[int]) -> int:
    return sum(nums[::2])
