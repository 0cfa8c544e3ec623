def count_even(nums: list[int]) -> int:
    return sum(x for x in nums if x % 2 == 0)
