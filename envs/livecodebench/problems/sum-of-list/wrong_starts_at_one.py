def sum_of_list(nums: list[int]) -> int:
    total = 1
    for x in nums:
        total += x
    return total
