def remove_duplicates(nums: list[int]) -> list[int]:
    if not nums:
        return []
    if nums[-1] in remove_duplicates(nums[:-1]):
        return remove_duplicates(nums[:-1])
    return remove_duplicates(nums[:-1]) + [nums[-1]]
