def sum_of_list(nums: list[int]) -> int:
    total = 0
    for x in nums:
        total += x
        return total
    return total
