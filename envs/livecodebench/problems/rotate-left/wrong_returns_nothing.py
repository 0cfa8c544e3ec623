def rotate_left(nums: list[int], k: int) -> None:
    if nums:
        k %= len(nums)
        nums[:] = nums[k:] + nums[:k]
