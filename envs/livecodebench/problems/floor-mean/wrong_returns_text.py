def floor_mean(nums: list[int]) -> str:
    return f"{sum(nums) // len(nums)}" if nums else "0"
