def keep_even(nums: list[int]) -> list[int]:
    return sorted({x for x in nums if x % 2 == 0})
