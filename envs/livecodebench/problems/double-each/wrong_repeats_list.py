def double_each(nums: list[int]) -> list[int]:
    return nums * 2
