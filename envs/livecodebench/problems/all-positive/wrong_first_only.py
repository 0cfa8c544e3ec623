def all_positive(nums: list[int]) -> bool:
    for x in nums:
        return x > 0
    return True
