def all_positive(nums: list[int]) -> str:
    return "True" if all(x > 0 for x in nums) else "False"
