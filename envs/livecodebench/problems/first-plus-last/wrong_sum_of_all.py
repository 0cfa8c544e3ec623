def first_plus_last(nums: list[int]) -> int:
    return sum(nums)
