def index_of(nums: list[int], target: int) -> int:
    return nums.index(target)
