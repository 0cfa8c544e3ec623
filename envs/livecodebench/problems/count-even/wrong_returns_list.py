def count_even(nums: list[int]) -> list[int]:
    return [x for x in nums if x % 2 == 0]
