def remove_duplicates(nums: list[int]) -> list[int]:
    return [x for i, x in enumerate(nums) if i == 0 or x != nums[i - 1]]
