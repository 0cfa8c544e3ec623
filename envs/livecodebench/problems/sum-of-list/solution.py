def sum_of_list(nums: list[int]) -> int:
    return sum(nums)
