def sort_descending(nums: list[int]) -> list[int]:
    return nums[::-1]
