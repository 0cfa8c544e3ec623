def rotate_left(nums: list[int], k: int) -> list[int]:
    for _ in range(k):
        nums = nums[1:] + nums[:1]
    return nums
