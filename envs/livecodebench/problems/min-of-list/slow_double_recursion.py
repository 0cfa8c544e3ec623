def min_of_list(nums: list[int]) -> int:
    if len(nums) == 1:
        return nums[0]
    return min_of_list(nums[1:]) if min_of_list(nums[1:]) < nums[0] else nums[0]
