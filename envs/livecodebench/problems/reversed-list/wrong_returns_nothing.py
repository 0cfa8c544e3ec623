def reversed_list(nums: list[int]) -> None:
    return nums.reverse()
