def count_even(nums: list[int]) -> int:
    return sum(x % 2 == 0 for x in nums)
