def first_plus_last(nums: list[int]) -> int:
    total = nums[0]
    for _ in range(abs(nums[-1])):
        total += 1 if nums[-1] > 0 else -1
    return total
