def double_each(nums: list[int]) -> list[int]:
    return [x**2 for x in nums]
