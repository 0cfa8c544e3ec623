def sum_even(nums: list[int]) -> int:
    return len([x for x in nums if x % 2 == 0])
