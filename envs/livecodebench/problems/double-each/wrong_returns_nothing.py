def double_each(nums: list[int]) -> None:
    for i in range(len(nums)):
        nums[i] *= 2
