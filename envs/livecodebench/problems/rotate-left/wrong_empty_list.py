def rotate_left(nums: list[int], k: int) -> list[int]:
    k = k % len(nums)
    return nums[k:] + nums[:k]
