def reversed_list(nums: list[int]) -> list[int]:
    if not nums:
        return []
    return reversed_list(nums[1:]) + [nums[0]] if len(reversed_list(nums[1:])) < len(nums) else nums
