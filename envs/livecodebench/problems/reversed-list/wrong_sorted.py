def reversed_list(nums: list[int]) -> list[int]:
    return sorted(nums, reverse=True)
