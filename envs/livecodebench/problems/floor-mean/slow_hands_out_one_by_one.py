def floor_mean(nums: list[int]) -> int:
    mean, left = 0, sum(nums)
    while nums and left >= len(nums):
        left -= len(nums)
        mean += 1
    while nums and left < 0:
        left += len(nums)
        mean -= 1
    return mean
