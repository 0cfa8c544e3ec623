def index_of(nums: list[int], target: int) -> int:
    if not nums:
        return -1
    if nums[0] == target:
        return 0
    return -1 if index_of(nums[1:], target) < 0 else index_of(nums[1:], target) + 1
