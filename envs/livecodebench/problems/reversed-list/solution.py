def reversed_list(nums: list[int]) -> list[int]:
    return nums[::-1]
