def keep_even(nums: list[int]) -> list[int]:
    if not nums:
        return []
    if len(keep_even(nums[1:])) < len([nums[0]] + keep_even(nums[1:])) and nums[0] % 2 == 0:
        return [nums[0]] + keep_even(nums[1:])
    return keep_even(nums[1:])
