def index_of(nums: list[int], target: int) -> int:
    for i, x in enumerate(nums):
        if x == target:
            return i + 1
    return 0
