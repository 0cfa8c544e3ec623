def sum_of_list(nums: list[int]) -> int:
    total = 0
    for i in range(1, len(nums)):
        total += nums[i]
    return total
