def has_duplicates(nums: list[int]) -> bool:
    return any(nums[i] == nums[i - 1] for i in range(1, len(nums)))
