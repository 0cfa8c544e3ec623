def count_even(nums: list[int]) -> int:
    return len([x for x in nums if x and x % 2 == 0])
